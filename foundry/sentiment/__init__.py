"""Scoring texts, one or many, of any length.

Begin in `scoring.py`. A text is cut into overlapping `pieces`, the `encoder` runs them without
padding, their answers are combined. `readable` respells what the tokenizer cannot read,
`attribution` says which words mattered, `sides` which labels are opposite; `what_if` writes out
texts with slots; `tables` reads what visitors upload, `review` chooses rows of the results and
`report` writes them. The model is an argument.
"""

from foundry.sentiment.scoring import (
    SentimentModel,
    SentimentScore,
    score_text,
    score_texts,
    wrap_classifier,
)

__all__ = [
    "SentimentModel",
    "SentimentScore",
    "score_text",
    "score_texts",
    "wrap_classifier",
]
