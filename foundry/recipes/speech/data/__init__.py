"""The corpora of the speech recipe: recorded, synthesised and changed on the way."""
