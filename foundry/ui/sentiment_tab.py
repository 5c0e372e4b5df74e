"""The Sentiment tab: a text scored as you type, the words behind the answer, and many texts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import gradio as gr

from foundry.attribution import Explanation, explain_text, remove_word
from foundry.errors import ArtifactError, InputError
from foundry.models import count_parameters
from foundry.pretrained import Pretrained
from foundry.sentiment import SentimentModel, SentimentScore, score_text, wrap_classifier
from foundry.ui import sentiment_plots as plots
from foundry.ui.feedback import QUIET, shows_errors
from foundry.ui.pretrained_choice import Loading, watch_loading
from foundry.ui.sentiment_batch import build_batch_view
from foundry.ui.sentiment_choice import (
    DEFAULT_MODEL,
    default_title,
    list_sentiment_models,
    load_sentiment_model,
)

# Explained by itself once typing has paused; longer texts wait for the button.
_AUTO_TOKENS = 64
_PAUSE_MS = 500
_EXAMPLES = (
    "The battery lasts two days and the screen is lovely.",
    "Two hours of shouting, and not one of the jokes lands.",
    "I expected a dull sequel and got the film of the year.",
    "Clean room, but nobody at the desk cared to look up.",
    "Not bad at all, though I would not cross town for it.",
)
_TYPE_HINT = "Type or paste a text: the answer appears here as you type."
_WORDS_HINT = "Once you pause, every word gets the colour of its pull."
_CLICK_HINT = "Click a word to see the answer without it."
# Gives the text back only if nothing was typed meanwhile.
_PAUSE_JS = f"""async (text, paused) => {{
  const mine = window.foundryTyped = {{}};
  await new Promise(resolve => setTimeout(resolve, {_PAUSE_MS}));
  return window.foundryTyped === mine ? text : paused;
}}"""


@dataclass(frozen=True)
class Explained:
    """What one visitor looks at.

    Attributes:
        model: The model's name.
        explanation: Of the text.
        score: Of the text as written.
        removed: Words struck out, by position.
    """

    model: str
    explanation: Explanation
    score: SentimentScore
    removed: tuple[int, ...] = ()


def on_visit(name: str) -> str:
    """Load the model before the first letter is typed.

    Args:
        name: The model in use.

    Returns:
        What it is, in a sentence.
    """
    try:
        return _describe(*load_sentiment_model(name))
    except (InputError, ArtifactError) as error:
        return plots.status_html("Not loaded", str(error))


def on_choose(name: str | None) -> Iterator[list[Any]]:
    """Load another model, keeping the shipped one if that fails.

    Args:
        name: A shipped model's name, a Hub id or a folder.

    Yields:
        The drop-down, the model in use, and a line about it.
    """
    try:
        for step in watch_loading(name or DEFAULT_MODEL, "sentiment"):
            if isinstance(step, Loading):
                status = plots.status_html("One moment", f"{step.sentence}.", step.share)
                yield [gr.skip(), gr.skip(), status]
            else:
                model = wrap_classifier(step.model, step.processor)
                yield [gr.skip(), step.name, _describe(step, model)]
    except (InputError, ArtifactError) as error:
        facts = f"{error} Going on with {default_title()}."
        yield [DEFAULT_MODEL, DEFAULT_MODEL, plots.status_html("Not loaded", facts)]


def on_type(text: str, name: str) -> list[Any]:
    """Score what is in the box.

    Args:
        text: What was typed so far.
        name: The model in use.

    Returns:
        The answer, and a note with the time it took.
    """
    if not text or not text.strip():
        return [plots.hint(_TYPE_HINT), ""]
    try:
        started = perf_counter()
        score = score_text(load_sentiment_model(name)[1], text)
        elapsed_ms = 1000 * (perf_counter() - started)
    except (InputError, ArtifactError) as error:
        return [plots.hint(str(error)), ""]
    return [plots.answer_html(score.probs), _note(score, elapsed_ms)]


def on_pause(text: str, name: str) -> list[Any]:
    """Explain a text that is short enough to be explained unasked.

    Args:
        text: What was typed.
        name: The model in use.

    Returns:
        As `on_explain()`.
    """
    if not text or not text.strip():
        return [None, plots.hint(_WORDS_HINT), "", gr.Button(visible=False)]
    try:
        num_tokens = score_text(load_sentiment_model(name)[1], text).num_tokens
    except (InputError, ArtifactError) as error:
        return [None, plots.hint(str(error)), "", gr.Button(visible=False)]
    if num_tokens > _AUTO_TOKENS:
        sentence = f"{num_tokens:,} tokens take a while: press Explain to see which words pull."
        return [None, plots.hint(sentence), "", gr.Button(visible=True)]
    return on_explain(text, name)


@shows_errors
def on_explain(text: str, name: str) -> list[Any]:
    """Attribute the answer to the words.

    Args:
        text: What was typed.
        name: The model in use.

    Returns:
        What is explained, its words, the comparison, and the button.
    """
    pretrained, model = load_sentiment_model(name)
    # Of two labels always the second, so that a colour means the same for every text.
    label = model.labels[1] if len(model.labels) == 2 else None
    explained = Explained(
        name,
        explain_text(pretrained.model, pretrained.processor, text, label),
        score_text(model, text),
    )
    return [
        explained,
        plots.words_html(explained.explanation, model.labels),
        plots.hint(_CLICK_HINT),
        gr.Button(visible=False),
    ]


@shows_errors
def on_word(explained: Explained | None, event: gr.EventData) -> list[Any]:
    """Strike a word out, or bring it back, and score what is left.

    Args:
        explained: What is looked at.
        event: Carries the word's position.

    Returns:
        What is looked at, its words, and the comparison.
    """
    word = getattr(event, "word", None)
    if explained is None or not isinstance(word, int):
        return [gr.skip()] * 3
    if not 0 <= word < len(explained.explanation.words):
        return [gr.skip()] * 3
    removed = tuple(sorted({word} ^ set(explained.removed)))
    explained = replace(explained, removed=removed)
    _, model = load_sentiment_model(explained.model)
    words = plots.words_html(explained.explanation, model.labels, removed)
    return [explained, words, _comparison(explained, model)]


def _comparison(explained: Explained, model: SentimentModel) -> str:
    if not explained.removed:
        return plots.hint(_CLICK_HINT)
    text = explained.explanation.text
    struck = [explained.explanation.words[index] for index in explained.removed]
    # From the end, so that the places of those before stay as they are.
    for word in reversed(struck):
        text = remove_word(text, word.start, word.end)
    title = f"Without {', '.join(f'“{word.text}”' for word in struck)}"
    try:
        score = score_text(model, text)
    except InputError:
        return plots.hint(f"{title} nothing is left. Click a word to bring it back.")
    return plots.answer_html(score.probs, title, before=explained.score.probs)


def _describe(pretrained: Pretrained, model: SentimentModel) -> str:
    labels = ", ".join(model.labels[:6]) + (", ..." if len(model.labels) > 6 else "")
    return plots.hint(
        f"{count_parameters(pretrained.model):,} parameters, {len(model.labels)} labels: {labels}. "
        f"Reads {model.max_tokens} tokens at a time; longer texts are read in pieces."
    )


def _note(score: SentimentScore, elapsed_ms: float) -> str:
    pieces = "" if score.num_pieces == 1 else f", read in {score.num_pieces} overlapping pieces"
    unknown = f", {score.num_unknown} of them unknown to the model" if score.num_unknown else ""
    noun = "token" if score.num_tokens == 1 else "tokens"
    return f"{score.num_tokens:,} {noun}{unknown}{pieces}; {elapsed_ms:.0f} ms."


def build_sentiment_tab(tab: gr.Tab) -> None:
    """Build the tab.

    Args:
        tab: The tab itself; selecting it loads the model.
    """
    active = gr.State(DEFAULT_MODEL)
    explained = gr.State(None)
    choice = gr.Dropdown(
        list_sentiment_models(),
        value=DEFAULT_MODEL,
        allow_custom_value=True,
        label="Model",
        info="The shipped one, or any text classifier with safetensors weights: type its Hub id or "
        "a folder on this machine and press Enter.",
        elem_id="sentiment-model",
    )
    about = gr.HTML(elem_classes="flush", css_template=plots.HINT_CSS, elem_id="sentiment-about")
    with gr.Row(elem_classes="answer-second"):
        with gr.Column():
            text = gr.Textbox(
                label="Your text",
                placeholder="Type or paste a review, a comment, a message ...",
                lines=6,
                max_lines=14,
                elem_id="sentiment-text",
            )
        with gr.Column():
            answer = gr.HTML(
                plots.hint(_TYPE_HINT),
                elem_classes="flush",
                css_template=plots.ANSWER_CSS,
                elem_id="sentiment-answer",
            )
            note = gr.Markdown(elem_classes="foundry-note")
            gr.Markdown("### Which words pull it which way")
            words = gr.HTML(
                plots.hint(_WORDS_HINT),
                elem_classes="flush",
                css_template=plots.WORDS_CSS,
                js_on_load=plots.WORDS_JS,
                elem_id="sentiment-words",
            )
            explain = gr.Button("Explain", visible=False, size="sm")
            comparison = gr.HTML(
                elem_classes="flush", css_template=plots.ANSWER_CSS, elem_id="sentiment-comparison"
            )
        with gr.Column():
            gr.Examples([[example] for example in _EXAMPLES], text, label="Or take one of these")
    build_batch_view(active)
    # What was in the box when typing paused; hidden rather than absent, so that it can change.
    paused = gr.Textbox(visible="hidden", elem_id="sentiment-paused")

    scored = [text, active], [answer, note]
    explained_by = [explained, words, comparison, explain]
    tab.select(on_visit, active, about, **QUIET)
    text.change(on_type, *scored, trigger_mode="always_last", **QUIET)
    text.change(None, [text, paused], paused, js=_PAUSE_JS, trigger_mode="multiple", **QUIET)
    paused.change(on_pause, [paused, active], explained_by, trigger_mode="always_last", **QUIET)
    explain.click(on_explain, [text, active], explained_by, api_visibility="private")
    words.select(on_word, explained, [explained, words, comparison], **QUIET)
    choice.input(on_choose, choice, [choice, active, about], **QUIET)
    active.change(on_type, *scored, **QUIET).then(on_pause, [text, active], explained_by, **QUIET)
