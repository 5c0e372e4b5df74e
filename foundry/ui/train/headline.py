"""What came out of a finished run, in two sentences and one thing to do next."""

import time
from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr
from gradio.components import Component

from foundry.training import TrainEvent
from foundry.training.runs import Run
from foundry.ui.page.feedback import QUIET

_NUM_TESTED = 10_000
# By so much the validation loss has to rise before it is called memorising, and accuracy before
# more epochs are called worth while: what is less differs between seeds.
_RISE = 1.1
_GAIN = 0.002
# Guessing is right for one digit in ten.
_BARELY = 0.2


def describe_learning(events: Sequence[TrainEvent]) -> str:
    """Say what the curves of a finished run show, in a sentence.

    Args:
        events: All of them, with at least one epoch's end; else there is nothing to say.
    """
    ends = [event for event in events if event.val_loss is not None]
    if not ends:
        return ""
    losses = [event.val_loss or 0.0 for event in ends]
    accuracies = [event.val_accuracy or 0.0 for event in ends]
    lowest = losses.index(min(losses))
    if accuracies[-1] < _BARELY:
        return "It learned next to nothing: try another learning rate."
    if losses[-1] > _RISE * losses[lowest] and ends[-1].train_loss < ends[lowest].train_loss:
        return (
            f"From epoch {ends[lowest].epoch} on the training loss falls and the validation loss "
            "does not: it is memorising."
        )
    if len(ends) > 1 and accuracies[-1] - max(accuracies[:-1]) > _GAIN:
        return "It was still getting better when it ended: more epochs would help."
    return "The validation loss went the way of the training loss: nothing was learned by heart."


def render_headline(run: Run | None) -> list[Any]:
    """Return updates for what `build_headline()` builds: hidden unless the run has ended.

    Args:
        run: Any run of the visitor's.
    """
    if run is None or run.result is None:
        return [gr.Column(visible=False), gr.skip()]
    accuracy = run.result["test_accuracy"]
    mistakes = round(_NUM_TESTED * (1 - accuracy))
    sentence = f"of {_NUM_TESTED:,} digits it had never seen are right: {mistakes:,} mistakes."
    learning = describe_learning(run.events)
    return [
        gr.Column(visible=True),
        f'<p class="train-headline"><b>{accuracy:.1%}</b> <span>{escape(sentence)}</span></p>'
        f'<p class="foundry-note">{escape(learning)}</p>',
    ]


def build_headline(run_id: gr.State, chosen_run: gr.State) -> list[Component]:
    """Build the part, hidden until a run has finished.

    Args:
        run_id: The finished run's id.
        chosen_run: Takes it to the Draw tab.

    Returns:
        The components that `render_headline()` updates.
    """
    with gr.Column(visible=False, elem_id="train-headline") as group:
        sentences = gr.HTML(padding=False, elem_classes="flush")
        draw = gr.Button("Draw one for it", elem_id="train-draw")
    draw.click(lambda run: (run, time.time()), run_id, chosen_run, **QUIET)
    return [group, sentences]
