"""Pictures changed on purpose, so that a network reads something else; of any task."""
