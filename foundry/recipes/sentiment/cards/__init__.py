"""The model cards, written from what the recipe measured."""
