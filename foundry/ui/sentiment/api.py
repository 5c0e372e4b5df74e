"""Named endpoints for sentiment; foundry/ui/README.md has an example of each."""

import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr

from foundry.models.loading import check_variant
from foundry.sentiment import score_text, score_texts
from foundry.sentiment.attribution import explain_text
from foundry.sentiment.report import write_report
from foundry.ui.page.feedback import shows_errors
from foundry.ui.sentiment.choice import DEFAULT_MODEL, load_sentiment_model
from foundry.ui.sentiment.upload import read_upload
from foundry.ui.server.queues import EXPLANATIONS, OWN_QUEUE, TABLES


@shows_errors
def score_sentiment(text: str | None, model: str, variant: str) -> dict[str, Any]:
    """Return the likeliest label of one text and all probabilities, as `gr.Label` gives them.

    Beside them is how many tokens were read, and how many of these the model does not know.
    """
    score = score_text(load_sentiment_model(model, variant)[1], text or "")
    probs = sorted(score.probs.items(), key=lambda item: item[1], reverse=True)
    return {
        "label": score.label,
        "confidences": [{"label": label, "confidence": prob} for label, prob in probs],
        "num_tokens": score.num_tokens,
        "num_unknown": score.num_unknown,
    }


@shows_errors
def score_sentiment_batch(
    file: str | None, column: str | None, model: str, variant: str
) -> Iterator[str]:
    """Return a CSV file: the rows of the one sent, with the answers beside them."""
    check_variant(model, variant)
    table = read_upload(file, wanted=column or "")
    texts = table.column(column or "")
    classifier = load_sentiment_model(model, variant)[1]
    with TABLES.turn():
        scored = [text for event in score_texts(classifier, texts) for text in event.finished]
    with tempfile.TemporaryDirectory() as folder:
        # The file is copied before the generator goes on.
        path = Path(folder) / "sentiment.csv"
        yield str(write_report(table, classifier.labels, scored, path))


@shows_errors
def explain_sentiment(text: str | None, model: str) -> dict[str, Any]:
    """Return every word with its pull towards the likeliest label, in logits."""
    pretrained, _ = load_sentiment_model(model)
    with EXPLANATIONS.turn():
        return asdict(explain_text(pretrained.model, pretrained.processor, text or ""))


def build_sentiment_api() -> None:
    """Add `/score_sentiment`, `/score_sentiment_batch` and `/explain_sentiment` to the app."""
    with gr.Column(visible=False):
        text = gr.Textbox(label="text")
        file = gr.File(label="file")
        column = gr.Textbox("", label="column")
        model = gr.Textbox(DEFAULT_MODEL, label="model")
        variant = gr.Textbox("dense", label="variant")
        label = gr.JSON(label="sentiment")
        scored = gr.File(label="scored")
        explanation = gr.JSON(label="explanation")
        gr.Button().click(
            score_sentiment, [text, model, variant], label, api_name="score_sentiment"
        )
        gr.Button().click(
            score_sentiment_batch,
            [file, column, model, variant],
            scored,
            api_name="score_sentiment_batch",
            **OWN_QUEUE,
        )
        gr.Button().click(
            explain_sentiment,
            [text, model],
            explanation,
            api_name="explain_sentiment",
            **OWN_QUEUE,
        )
