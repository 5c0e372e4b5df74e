"""A fine-tuning and what came out of it -> words, curves, HTML; nothing here touches Gradio."""

from foundry.photos.teaching.outcome import Tuned, estimate_interval
from foundry.photos.teaching.tuning.learning import NUM_EPOCHS
from foundry.photos.teaching.tuning.runs import TuneRun
from foundry.runs.folders import ACTIVE, estimate_remaining_s
from foundry.ui.components.curves import Points, accuracy_axis, loss_axis, to_percent, train_curve
from foundry.ui.components.line_chart import Curve, render_lines
from foundry.ui.components.run_panel import RunWords
from foundry.ui.components.run_status import format_duration
from foundry.ui.page.palette import BLUE, ORANGE

TUNED_CSS = """
p { margin: 0 0 0.4rem; }
.verdict { font-weight: 650; }
"""


def describe_tuning(run: TuneRun) -> str:
    """Return what the status line says of a fine-tuning beside its state."""
    if run.status == "failed" and not run.is_resumable:
        return f"{run.reason}."
    if run.status == "failed":
        return f"{run.reason}. Press Resume to go on."
    if not run.events:
        return "Starting the worker." if run.status in ACTIVE else "Nothing was fine-tuned."
    last = run.events[-1]
    if run.status in ("paused", "interrupted"):
        return f"at epoch {last.epoch} of {NUM_EPOCHS}. Press Resume to go on."
    if run.status == "running" and last.val_accuracy is None:
        return f"{run.progress:.0%}. The frozen blocks look at the pictures, once."
    if run.status == "running":
        remaining_s = estimate_remaining_s(last.elapsed_s, run.progress) or 0.0
        left = f"{format_duration(remaining_s)} left"
        return f"{run.progress:.0%}, epoch {last.epoch} of {NUM_EPOCHS}, {left}"
    if run.status == "done":
        return f"{last.epoch} epochs in {format_duration(last.elapsed_s)}."
    return f"at epoch {last.epoch} of {NUM_EPOCHS}, after {format_duration(last.elapsed_s)}."


WORDS = RunWords(
    idle=("Not fine-tuned yet", "The head alone answers."),
    describe=describe_tuning,
    states={"running": "Fine-tuning"},
)


def loss_json(run: TuneRun) -> str:
    """Return the chart of the loss over the epochs."""
    points: Points = [(one.epoch, one.train_loss) for one in run.events]
    return render_lines(
        [train_curve(points)], [0, NUM_EPOCHS], loss_axis(loss for _, loss in points)
    )


def accuracy_json(run: TuneRun) -> str:
    """Return the chart of the accuracy over the epochs, with a line for that of the head alone."""
    accuracies = [one.val_accuracy for one in run.events]
    alone = to_percent(run.head_accuracy)
    return render_lines(
        [
            Curve("the head alone", ORANGE, [(0, alone), (NUM_EPOCHS, alone)]),
            Curve(
                "fine-tuned",
                BLUE,
                [(one.epoch, to_percent(one.val_accuracy)) for one in run.events],
            ),
        ],
        [0, NUM_EPOCHS],
        accuracy_axis(accuracies),
        "%",
    )


def tuned_html(tuned: Tuned) -> str:
    """Return HTML: how many are right with and without, whether it helped, what it cost.

    Args:
        tuned: What came out.
    """
    num_all = len(tuned.answers)
    low, high = estimate_interval(tuned.num_right, num_all)
    said = (
        f"Fine-tuning: {tuned.num_right} of {num_all} set-aside pictures right, between {low:.0%} "
        f"and {high:.0%} of all; the head alone: {tuned.num_right_of_head} of {num_all}."
    )
    gain = tuned.num_right - tuned.num_right_of_head
    if gain < 0:
        verdict = "Fine-tuning made it worse: the head alone answers, unless you choose otherwise."
    elif gain:
        verdict = "Fine-tuning helped: it answers, unless you choose otherwise."
    else:
        verdict = "Fine-tuning changed nothing that these pictures could show."
    cost = f"{tuned.epochs} epochs took {tuned.elapsed_s:.1f} s."
    return (
        f'<p class="verdict" role="status">{said}</p>'
        f"<p><span>{verdict}</span> <span>{cost}</span></p>"
    )
