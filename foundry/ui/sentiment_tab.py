"""The Sentiment tab: a text is scored while you type, and its words show their pull."""

import time
from typing import Any

import gradio as gr

from foundry.attribution import explain_text
from foundry.errors import InputError
from foundry.models import Pretrained, check_variant, load_pretrained
from foundry.sentiment import SentimentModel, score_text, wrap_classifier
from foundry.ui import sentiment_plots
from foundry.ui.feedback import QUIET, shows_errors

DEFAULT_MODEL = "bert-sentiment"
_EXAMPLES = [
    "The camera is wonderful, but the battery gives up before lunch.",
    "I expected a dull evening and came out humming the songs.",
    "It isn't bad at all; the second half is even rather clever.",
    "Two hours of my life that I will not get back.",
]


def load_classifier(name: str) -> tuple[Pretrained, SentimentModel]:
    """Load a sentiment model by its name, Hub id or folder."""
    pretrained = load_pretrained(name or DEFAULT_MODEL, "sentiment")
    return pretrained, wrap_classifier(pretrained.model, pretrained.processor)


@shows_errors
def on_text(text: str) -> tuple[str, str, str]:
    """Score what was typed.

    Args:
        text: The box's text.

    Returns:
        The bars, the sentence below them, and the place of the words, emptied.
    """
    if not text.strip():
        return sentiment_plots.label_bars(None), "", sentiment_plots.word_pulls(None)
    _, model = load_classifier(DEFAULT_MODEL)
    started = time.perf_counter()
    score = score_text(model, text)
    note = sentiment_plots.reading_note(score, 1000 * (time.perf_counter() - started))
    return sentiment_plots.label_bars(score), note, sentiment_plots.word_pulls(None)


@shows_errors
def on_explain(text: str) -> str:
    """Attribute the answer to the words.

    Args:
        text: The box's text.

    Returns:
        The text with coloured words.
    """
    pretrained, _ = load_classifier(DEFAULT_MODEL)
    explanation = explain_text(pretrained.model, pretrained.processor, text)
    return sentiment_plots.word_pulls(explanation)


def score_sentiment(
    text: str, model: str = DEFAULT_MODEL, variant: str = "dense"
) -> dict[str, float]:
    """Return the probability of every label of a text.

    Args:
        text: Up to 100,000 characters.
        model: The shipped model's name, a Hub id or a folder with safetensors.
        variant: One that the model has.

    Raises:
        InputError: If text, model or variant cannot be used.
    """
    check_variant(model, variant)
    _check_text(text)
    _, classifier = load_classifier(model)
    return score_text(classifier, text).probs


def explain_sentiment(text: str, model: str = DEFAULT_MODEL) -> dict[str, Any]:
    """Return the explained label, its margin in logits, and every word with its part of that.

    Args:
        text: Up to 1,024 tokens.
        model: The shipped model's name, a Hub id or a folder with safetensors.

    Raises:
        InputError: If text or model cannot be used.
    """
    _check_text(text)
    pretrained, _ = load_classifier(model)
    explanation = explain_text(pretrained.model, pretrained.processor, text)
    return {
        "label": explanation.label,
        "margin": explanation.margin,
        "baseline_margin": explanation.baseline_margin,
        "completeness_error": explanation.completeness_error,
        "words": [{"word": word.text, "score": word.score} for word in explanation.words],
    }


def _check_text(text: Any) -> None:
    if not isinstance(text, str):
        raise InputError("There is no text yet: send a string.")


def build_sentiment_tab() -> None:
    """Build the tab and its endpoints `/score_sentiment` and `/explain_sentiment`."""
    with gr.Row(elem_classes="halves"):
        with gr.Column():
            text = gr.Textbox(
                label="Text",
                info="English; a review, a sentence, a page. Long texts are read in pieces.",
                placeholder="Type or paste a text",
                lines=5,
                max_lines=12,
                elem_id="sentiment-text",
            )
            gr.Examples(_EXAMPLES, text, label="Try one of these")
        with gr.Column():
            bars = gr.HTML(sentiment_plots.label_bars(None), elem_id="sentiment-answer")
            note = gr.Markdown(elem_classes="foundry-note")
            explain = gr.Button("Which words pulled?", variant="primary", elem_id="explain")
            words = gr.HTML(sentiment_plots.word_pulls(None), elem_id="sentiment-words")
    text.change(on_text, text, [bars, note, words], trigger_mode="always_last", **QUIET)
    explain.click(on_explain, text, words, api_visibility="private")

    with gr.Column(visible=False):
        api_text = gr.Textbox(label="text")
        model = gr.Textbox(DEFAULT_MODEL, label="model")
        variant = gr.Textbox("dense", label="variant")
        label, explanation = gr.Label(label="sentiment"), gr.JSON(label="explanation")
        gr.Button().click(
            shows_errors(score_sentiment),
            [api_text, model, variant],
            label,
            api_name="score_sentiment",
        )
        gr.Button().click(
            shows_errors(explain_sentiment),
            [api_text, model],
            explanation,
            api_name="explain_sentiment",
        )
