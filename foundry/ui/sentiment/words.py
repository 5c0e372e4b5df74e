"""The words behind an answer: coloured by their pull, and struck out by a click."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from foundry.errors import ArtifactError, InputError
from foundry.models import DENSE
from foundry.sentiment import SentimentModel, SentimentScore, score_text
from foundry.sentiment.attribution import Explanation, explain_text, remove_word
from foundry.sentiment.scoring import UNREAD
from foundry.ui.page.feedback import EVERY, LATEST, shows_errors
from foundry.ui.sentiment import plots
from foundry.ui.sentiment.choice import load_sentiment_model
from foundry.ui.sentiment.sentences import (
    SENTENCES_CSS,
    SENTENCES_JS,
    find_sentence,
    on_sentences,
)
from foundry.ui.server.queues import EXPLANATIONS, OWN_QUEUE

# Explained by itself once typing has paused; longer texts wait for the button.
_AUTO_TOKENS = 64
_PAUSE_MS = 500
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
        variant: Of the model; what is explained of an int8 one is the network before quantizing.
        explanation: Of the text.
        score: Of the text as written.
        removed: Words struck out, by position.
    """

    model: str
    variant: str
    explanation: Explanation
    score: SentimentScore
    removed: tuple[int, ...] = ()


@dataclass(frozen=True)
class WordsView:
    """The components of this part.

    Attributes:
        explained: What is looked at.
        words: The text, a button for every word.
        comparison: The answer without the words struck out.
        explain: Explains a text that is too long to be explained unasked.
        sentences: Each sentence of a longer text in the colour of its own answer.
        rested: The text was looked at closer, as nobody typed for a while.
    """

    explained: gr.State
    words: gr.HTML
    comparison: gr.HTML
    explain: gr.Button
    sentences: gr.HTML
    rested: gr.events.Dependency

    def outputs(self) -> list[Any]:
        """Return the components in the order in which `on_pause()` fills them."""
        return [self.explained, self.words, self.comparison, self.explain]


def on_pause(text: str, name: str, variant: str = DENSE.name) -> list[Any]:
    """Explain a text that is short enough to be explained unasked.

    Args:
        text: What was typed.
        name: The model in use.
        variant: The name of the variant.

    Returns:
        As `on_explain()`.
    """
    if not text or not text.strip():
        return [None, plots.hint(_WORDS_HINT), "", gr.Button(visible=False)]
    try:
        score = score_text(load_sentiment_model(name, variant)[1], text)
        if not score.is_read:
            raise InputError(UNREAD)
        num_tokens = score.num_tokens
        if num_tokens <= _AUTO_TOKENS:
            return _explain(text, name, variant)
    except (InputError, ArtifactError) as error:
        return [None, plots.hint(str(error)), "", gr.Button(visible=False)]
    sentence = f"{num_tokens:,} tokens take a while: press Explain to see which words pull."
    return [None, plots.hint(sentence), "", gr.Button(visible=True)]


def on_rest(text: str, name: str, variant: str = DENSE.name) -> Iterator[list[Any]]:
    """Look closer at a text that is not being typed at: at its words, then at its sentences.

    Args:
        text: What was typed.
        name: The model in use.
        variant: The name of the variant.

    Yields:
        As `on_pause()`, then what `on_sentences()` returns.
    """
    explained = on_pause(text, name, variant)
    yield [*explained, gr.skip()]
    yield [*[gr.skip()] * len(explained), on_sentences(text, name, variant)]


@shows_errors
def on_explain(text: str, name: str, variant: str = DENSE.name) -> list[Any]:
    """Attribute the answer to the words.

    Args:
        text: What was typed.
        name: The model in use.
        variant: The name of the variant.

    Returns:
        What is explained, its words, the comparison, and the button.
    """
    return _explain(text, name, variant)


@shows_errors
def on_sentence(text: str, name: str, variant: str, event: gr.EventData) -> list[Any]:
    """Explain a sentence that was pressed.

    Args:
        text: What the sentences are of.
        name: The model in use.
        variant: The name of the variant.
        event: Carries the sentence's position.

    Returns:
        As `on_explain()`.
    """
    sentence = find_sentence(text, getattr(event, "sentence", None))
    return [gr.skip()] * 4 if sentence is None else _explain(sentence, name, variant)


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
    _, model = load_sentiment_model(explained.model, explained.variant)
    words = plots.words_html(explained.explanation, model.labels, removed)
    return [explained, words, _comparison(explained, model)]


def _explain(text: str, name: str, variant: str) -> list[Any]:
    pretrained, model = load_sentiment_model(name, variant)
    score = score_text(model, text)
    if not score.is_read:
        raise InputError(UNREAD)
    # Of two labels always the second, so that a colour means the same for every text.
    label = model.labels[1] if len(model.labels) == 2 else None
    with EXPLANATIONS.turn():
        explanation = explain_text(pretrained.model, pretrained.processor, text, label)
    explained = Explained(name, variant, explanation, score)
    return [
        explained,
        plots.words_html(explained.explanation, model.labels),
        plots.hint(_CLICK_HINT),
        gr.Button(visible=False),
    ]


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
    if not score.is_read:
        return plots.hint(f"{title} no word is left that the model knows.")
    return plots.answer_html(score.probs, title, before=explained.score.probs)


def build_words_view(text: gr.Textbox, active: gr.State, variant: gr.State) -> WordsView:
    """Build the part.

    Args:
        text: What is typed.
        active: The model in use.
        variant: The name of its variant.
    """
    sentences = gr.HTML(
        elem_classes="flush",
        css_template=SENTENCES_CSS,
        js_on_load=SENTENCES_JS,
        elem_id="sentiment-sentences",
    )
    gr.Markdown("### Which words pull it which way")
    words = gr.HTML(
        plots.hint(_WORDS_HINT),
        elem_classes="flush",
        css_template=plots.WORDS_CSS,
        js_on_load=plots.WORDS_JS,
        elem_id="sentiment-words",
    )
    explain = gr.Button("Explain", visible=False, size="sm", elem_id="sentiment-explain")
    comparison = gr.HTML(
        elem_classes="flush", css_template=plots.ANSWER_CSS, elem_id="sentiment-comparison"
    )
    # What was in the box when typing paused; hidden rather than absent, so that it can change.
    paused = gr.Textbox(visible="hidden", elem_id="sentiment-paused")
    explained = gr.State(None)

    text.change(None, [text, paused], paused, js=_PAUSE_JS, **EVERY)
    rested = paused.change(
        on_rest,
        [paused, active, variant],
        [explained, words, comparison, explain, sentences],
        **OWN_QUEUE,
        **LATEST,
    )
    view = WordsView(explained, words, comparison, explain, sentences, rested)
    sentences.select(on_sentence, [paused, active, variant], view.outputs(), **EVERY)
    explain.click(
        on_explain,
        [text, active, variant],
        view.outputs(),
        show_progress_on=words,
        api_visibility="private",
        **OWN_QUEUE,
    )
    words.select(on_word, view.explained, [view.explained, words, comparison], **EVERY)
    return view
