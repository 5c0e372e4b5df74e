"""The Sentiment tab: one text with its words, or a table of texts."""
