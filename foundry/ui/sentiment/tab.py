"""The Sentiment tab: a text scored as you type, the words behind the answer, and many texts."""

from collections.abc import Iterator, Mapping
from functools import partial
from time import perf_counter
from typing import Any

import gradio as gr

from foundry.errors import ArtifactError, InputError, counted
from foundry.models import DENSE, available_variants
from foundry.models.networks import count_parameters
from foundry.models.pretrained import Pretrained
from foundry.sentiment import SentimentModel, SentimentScore, score_text
from foundry.sentiment.attribution import explain_text
from foundry.sentiment.scoring import UNREAD
from foundry.ui.components.plots import status_line
from foundry.ui.components.pretrained_choice import Loading, describe_choice, watch_loading
from foundry.ui.components.variants.answers import Answered
from foundry.ui.components.variants.bars import build_variant_bars, show_bars
from foundry.ui.page.feedback import LATEST, QUIET
from foundry.ui.page.language import OUR_CHOICES
from foundry.ui.page.link_button import LinkedTab
from foundry.ui.page.page import Page
from foundry.ui.sentiment import plots
from foundry.ui.sentiment.api import build_sentiment_api
from foundry.ui.sentiment.batch import build_batch_view
from foundry.ui.sentiment.choice import (
    DEFAULT_MODEL,
    default_title,
    list_sentiment_models,
    load_sentiment_model,
    make_usable,
)
from foundry.ui.sentiment.link import read_settings
from foundry.ui.sentiment.variants import on_compare, tell_answers
from foundry.ui.sentiment.what_if import FOLLOW_JS, build_what_if, on_what_if
from foundry.ui.sentiment.words import build_words_view, on_rest
from foundry.ui.server.queues import OWN_QUEUE

# The last is answered wrongly, which the label of the list says.
EXAMPLE_TEXTS = (
    "The battery lasts two days and the screen is lovely.",
    "Two hours of shouting, and not one of the jokes lands.",
    "The museum is closed on Mondays.",
    "Clean room, but nobody at the desk cared to look up.",
    "Not bad at all, though I would not cross town for it.",
    "I expected a dull sequel and got the film of the year.",
)
_TYPE_HINT = "Type or paste a text: the answer appears here as you type."


def on_visit(name: str, variant: str = DENSE.name) -> Iterator[str]:
    """Load the model before the first letter is typed.

    Args:
        name: The model in use.
        variant: The name of the variant.

    Yields:
        How far it is, and last what it is, in a sentence.
    """
    try:
        for step in watch_loading(name, "sentiment", variant):
            if isinstance(step, Loading):
                yield status_line("One moment", f"{step.sentence}.", step.share)
            else:
                yield _describe(step, make_usable(step))
    except (InputError, ArtifactError) as error:
        yield status_line("Not loaded", str(error))


def on_variant(title: str, name: str, variant: str, text: str, open_tab: str) -> Iterator[Any]:
    """Make a variant ready, if the tab is in sight or has an answer that is to change.

    Args:
        title: This tab's label.
        name: The model in use.
        variant: The name of the variant.
        text: What was typed so far.
        open_tab: The label of the tab in sight.

    Yields:
        As `on_visit()`.
    """
    if open_tab == title or text:
        yield from on_visit(name, variant)
    else:
        yield gr.skip()


def on_choose(name: str | None, variant: str = DENSE.name) -> Iterator[list[Any]]:
    """Load another model, keeping the shipped one if that fails.

    Args:
        name: A shipped model's name, a Hub id or a folder.
        variant: The name of the variant.

    Yields:
        The drop-down, the model in use, and a line about it.
    """
    try:
        for step in watch_loading(name or DEFAULT_MODEL, "sentiment", variant):
            if isinstance(step, Loading):
                status = status_line("One moment", f"{step.sentence}.", step.share)
                yield [gr.skip(), gr.skip(), status]
            else:
                yield [gr.skip(), step.name, _describe(step, make_usable(step))]
    except (InputError, ArtifactError) as error:
        facts = f"{error} Going on with {default_title()}."
        yield [DEFAULT_MODEL, DEFAULT_MODEL, status_line("Not loaded", facts)]


def on_type(
    text: str, name: str, variant: str = DENSE.name, answered: Answered | None = None
) -> list[Any]:
    """Score what is in the box.

    Args:
        text: What was typed so far.
        name: The model in use.
        variant: The name of the variant.
        answered: What the variants answered so far, if they did.

    Returns:
        The answer, a note with the time it took, what the variants answered, and their bars.
    """
    answered = answered or Answered()
    if not text or not text.strip():
        nothing = show_bars(answered.clear(), variant, available_variants(name))
        return [plots.hint(_TYPE_HINT), "", *nothing]
    try:
        score, elapsed_ms = _score(text, name, variant)
        told = tell_answers(text, name, variant, score, elapsed_ms, answered)
    except (InputError, ArtifactError) as error:
        return [
            plots.hint(str(error)),
            "",
            *show_bars(answered.clear(), variant, available_variants(name)),
        ]
    note = _note(score, elapsed_ms)
    if not score.is_read:
        return [plots.hint(UNREAD), note, *told]
    return [plots.answer_html(score.probs), note, *told]


def _score(text: str, name: str, variant: str) -> tuple[SentimentScore, float]:
    model = load_sentiment_model(name, variant)[1]
    started = perf_counter()
    score = score_text(model, text)
    return score, 1000 * (perf_counter() - started)


def _describe(pretrained: Pretrained, model: SentimentModel) -> str:
    labels = ", ".join(model.labels[:6]) + (", ..." if len(model.labels) > 6 else "")
    return plots.hint(
        f"{count_parameters(pretrained.model):,} parameters, {len(model.labels)} labels: {labels}. "
        f"Reads {model.max_tokens} tokens at a time; longer texts are read in pieces."
    )


def _note(score: SentimentScore, elapsed_ms: float) -> str:
    pieces = "" if score.num_pieces == 1 else f", read in {score.num_pieces} overlapping pieces"
    unknown = f", {score.num_unknown} of them unknown to the model" if score.num_unknown else ""
    return f"{counted(score.num_tokens, 'token')}{unknown}{pieces}; {elapsed_ms:.0f} ms."


def on_link(settings: Mapping[str, Any]) -> list[Any]:
    """Return the text, the drop-down and the model in use that a link asks for."""
    return [settings["text"], settings["model"], settings["model"]]


def warm_up() -> None:
    """Answer once, so that no visitor waits for what is loaded at first."""
    pretrained, model = load_sentiment_model(DEFAULT_MODEL)
    score_text(model, "good")
    explain_text(pretrained.model, pretrained.processor, "good")


def build_sentiment_tab(page: Page) -> None:
    """Build the tab.

    Args:
        page: What stands around it.
    """
    variant = page.variants.variant
    with gr.Tab("Sentiment", id="sentiment") as tab:
        active = gr.State(DEFAULT_MODEL)
        choice = gr.Dropdown(
            list_sentiment_models(),
            value=DEFAULT_MODEL,
            label="Model",
            elem_id="sentiment-model",
            elem_classes=OUR_CHOICES,
            **describe_choice("text classifier with safetensors weights"),
        )
        about = gr.HTML(
            elem_classes="flush", css_template=plots.HINT_CSS, elem_id="sentiment-about"
        )
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
                compared = build_variant_bars(page.variants, "sentiment")
                view = build_words_view(text, active, variant)
            with gr.Column():
                gr.Examples(
                    [[example] for example in EXAMPLE_TEXTS],
                    text,
                    label="Or try an example; the last is one it gets wrong",
                    api_visibility="private",
                )
        what_if = build_what_if(text, active, variant)
        build_batch_view(active, variant)

        linked = LinkedTab(
            read_settings, {"text": text, "model": active}, [text, choice, active], on_link
        )
        page.links.offer("sentiment", linked)
        scored = (
            [text, active, variant, compared.answered],
            [answer, note, *compared.outputs()],
        )
        looked_at = on_rest, [text, active, variant], [*view.outputs(), view.sentences]
        asked = on_what_if, [text, what_if.changed, active, variant], what_if.answers
        tab.select(on_visit, [active, variant], about, **QUIET)
        text.change(on_type, *scored, **LATEST)
        choice.input(on_choose, [choice, variant], [choice, active, about], **LATEST)
        copied = [text, what_if.changed], what_if.changed
        followed = view.rested.then(None, *copied, js=FOLLOW_JS, **QUIET)
        followed.then(*asked, **OWN_QUEUE, **QUIET)
        active.change(on_type, *scored, **QUIET).then(*looked_at, **OWN_QUEUE, **QUIET).then(
            *asked, **OWN_QUEUE, **QUIET
        )
        ready = partial(on_variant, tab.label)
        page.variants.follow().change(
            ready, [active, variant, text, page.variants.open_tab], about, **QUIET
        ).then(on_type, *scored, **QUIET).then(*looked_at, **OWN_QUEUE, **QUIET).then(
            *asked, **OWN_QUEUE, **QUIET
        )
        compared.connect(on_compare, [text, active, variant])
        page.warm_ups.append(warm_up)
        build_sentiment_api()
