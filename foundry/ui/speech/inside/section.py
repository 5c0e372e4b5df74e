"""The parts of the Speech tab that look inside: letters over time, and the rivals of a word."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from foundry.models.loading import check_variant
from foundry.speech import Recogniser, Transcript, load_recogniser
from foundry.speech.decoding.letters import Letters
from foundry.ui.page.feedback import EVERY, LATEST, shows_errors
from foundry.ui.speech.inside.chart import build_chart
from foundry.ui.speech.inside.kept import KeptLetters, read_letters
from foundry.ui.speech.inside.look import (
    GONE,
    HINT,
    LATER,
    STEPS_CSS,
    TOO_SHORT,
    Stretch,
    choose_stretch,
    move_stretch,
    render_chart,
    rivals_html,
    steps_html,
)


@dataclass(frozen=True)
class Chosen:
    """What a visitor wants to look into.

    Attributes:
        start_s: Where it begins.
        end_s: Where it ends.
        channel: From 0.
        pressed_at: When the word was pressed, in seconds, so that the same word pressed again is
            another choice; None if nothing was.
    """

    start_s: float
    end_s: float
    channel: int
    pressed_at: float | None = None


@dataclass(frozen=True)
class InsideView:
    """What the tab sees of the parts.

    Attributes:
        kept: State: where the letters of the recording are, None before there are any.
        chosen: State: what to look into.
        rivals: What else the chosen word may have been; beside the transcript.
    """

    kept: gr.State
    chosen: gr.State
    rivals: gr.HTML


def choose_first(transcript: Transcript) -> Chosen:
    """Choose what to look into before anything was pressed: the first word, or the beginning."""
    for channel, part in enumerate(transcript.channels or (transcript,)):
        if part.words:
            word = part.words[0]
            return Chosen(word.start_s, word.end_s, channel)
    return Chosen(0.0, 2.0, 0)


@shows_errors
def on_look(kept: KeptLetters | None, chosen: Chosen | None) -> list[Any]:
    """Show a word's letters.

    Args:
        kept: Where the letters are.
        chosen: What to look into.

    Returns:
        The chart, the steps, what else the word may have been, and the stretch in sight.
    """
    if kept is None or chosen is None:
        return ["", _note(HINT), "", None]
    recogniser = _load(kept)
    letters = read_letters(kept, chosen.channel, recogniser)
    if letters is None:
        return ["", _note(GONE), "", None]
    clock, num_frames = recogniser.clock, len(letters.labels)
    if not num_frames:
        return ["", _note(TOO_SHORT), "", None]
    if chosen.start_s >= clock.end_s(num_frames - 1):
        return ["", _note(LATER), "", None]
    stretch = choose_stretch(chosen.start_s, chosen.end_s, clock, num_frames)
    rivals = ""
    if chosen.pressed_at is not None:
        rivals = rivals_html(letters, chosen.start_s, chosen.end_s, recogniser, kept.decoding)
    return [*_show(kept, letters, stretch, recogniser), rivals, stretch]


@shows_errors
def on_move(
    direction: int, kept: KeptLetters | None, chosen: Chosen | None, stretch: Stretch | None
) -> list[Any]:
    """Show the letters before or after those in sight.

    Args:
        direction: -1 or 1.
        kept: Where the letters are.
        chosen: Says of which channel.
        stretch: What is in sight.

    Returns:
        The chart, the steps, and the stretch in sight.
    """
    if kept is None or chosen is None or stretch is None:
        # What stands there says why there is nothing to move.
        return [gr.skip()] * 3
    recogniser = _load(kept)
    letters = read_letters(kept, chosen.channel, recogniser)
    if letters is None:
        return ["", _note(GONE), None]
    stretch = move_stretch(stretch, direction, len(letters.labels))
    return [*_show(kept, letters, stretch, recogniser), stretch]


def _load(kept: KeptLetters) -> Recogniser:
    return load_recogniser(kept.model, variant=check_variant(kept.model, kept.variant))


def _show(
    kept: KeptLetters, letters: Letters, stretch: Stretch, recogniser: Recogniser
) -> Sequence[str]:
    return [
        render_chart(letters, stretch, recogniser, kept.decoding),
        steps_html(letters, stretch, recogniser, kept.decoding),
    ]


def _note(text: str) -> str:
    return f'<p class="foundry-note">{text}</p>'


def build_rivals() -> gr.HTML:
    """Build what stands beside the transcript."""
    return gr.HTML(
        elem_id="speech-rivals", css_template=STEPS_CSS, apply_default_css=False, padding=False
    )


def build_inside_view(rivals: gr.HTML) -> InsideView:
    """Build the chart with its steps.

    Args:
        rivals: From `build_rivals()`.
    """
    kept, chosen, stretch = gr.State(None), gr.State(None), gr.State(None)
    gr.Markdown("### Letter by letter")
    chart = build_chart()
    with gr.Row(elem_classes="inside-moves"):
        moves = [
            (gr.Button(label, size="sm", min_width=110, elem_id=f"speech-{name}"), direction)
            for label, name, direction in (("Earlier", "earlier", -1), ("Later", "later", 1))
        ]
    steps = gr.HTML(
        elem_id="speech-steps", css_template=STEPS_CSS, apply_default_css=False, padding=False
    )
    shown = [chart, steps, rivals, stretch]
    gr.on(
        [kept.change, chosen.change],
        on_look,
        [kept, chosen],
        shown,
        **LATEST,
    )
    for button, direction in moves:
        button.click(
            partial(on_move, direction),
            [kept, chosen, stretch],
            [chart, steps, stretch],
            **EVERY,
        )
    return InsideView(kept, chosen, rivals)
