"""The corpora of the sentiment recipe, and batches of them."""
