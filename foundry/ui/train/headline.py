"""What came out of a finished run, in two sentences and one thing to do next."""

import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr
from gradio.components import Component

from foundry.errors import counted
from foundry.training import TrainEvent
from foundry.training.runs import Run
from foundry.ui.page.feedback import QUIET

# By so much the validation loss has to rise before it is called memorising, and accuracy before
# more epochs are called worth while: what is less differs between seeds.
_NO_DEVICE = (
    "Trained in seconds on small pictures: this is no medical device, whatever the pictures show."
)
_RISE = 1.1
_GAIN = 0.002
# Guessing is right for one digit in ten.
_BARELY = 0.2
# Of what a visitor brought: above always giving the commonest answer.
_BARELY_ABOVE = 0.01
# Few pictures in large batches are few updates, of which a network needs some.
_FEW_UPDATES, _GOOD = 200, 0.95


def describe_learning(events: Sequence[TrainEvent], barely: float = _BARELY) -> str:
    """Say what the curves of a finished run show, in a sentence.

    Args:
        events: All of them, with at least one epoch's end; else there is nothing to say.
        barely: The validation accuracy below which next to nothing was learned, in [0, 1].
    """
    ends = [event for event in events if event.val_loss is not None]
    if not ends:
        return ""
    losses = [event.val_loss or 0.0 for event in ends]
    accuracies = [event.val_accuracy or 0.0 for event in ends]
    lowest = losses.index(min(losses))
    if accuracies[-1] < barely:
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
    num_tested, barely, more = len(run.test_probs), _BARELY, []
    mistakes = round(num_tested * (1 - accuracy))
    noun = "digits" if run.is_on_mnist else "pictures"
    sentence = (
        f"of {num_tested:,} {noun} it had never seen are right: {counted(mistakes, 'mistake')}."
    )
    if not run.is_on_mnist:
        more.append(_compare(run.result))
        barely = run.result["val_majority_share"] + _BARELY_ABOVE
    if len(run.classes) == 2:
        more.append(_NO_DEVICE)
    learning = describe_learning(run.events, barely)
    last = run.events[-1]
    if not run.is_on_mnist and last.num_steps < _FEW_UPDATES and accuracy < _GOOD:
        learning = (
            f"It has had {counted(last.step, 'update')}: smaller batches or more epochs teach it "
            "more."
        )
    notes = [learning, *more]
    notes_html = "".join(f'<p class="foundry-note">{escape(note)}</p>' for note in notes)
    return [
        gr.Column(visible=True),
        f'<p class="train-headline"><b>{accuracy:.1%}</b> <span>{escape(sentence)}</span></p>'
        + notes_html,
    ]


def _compare(result: Mapping[str, Any]) -> str:
    """Say what the accuracy is worth where some classes have more pictures than others."""
    return (
        f"Always giving the commonest answer would be right for {result['majority_share']:.1%}; "
        f"with every class counting alike it is {result['balanced_accuracy']:.1%}."
    )


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
