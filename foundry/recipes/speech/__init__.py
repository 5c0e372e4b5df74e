"""Train the small speech recogniser from scratch on recordings and synthetic speech."""
