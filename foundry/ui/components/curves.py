"""Losses and accuracies of a run over its epochs, as curves of a chart, and the axes for them."""

import math
from collections.abc import Iterable

from foundry.training import TrainEvent
from foundry.training.runs import Run
from foundry.ui.components.line_chart import Curve
from foundry.ui.page.palette import BLUE, GREY, ORANGE, SKY, VERMILION

_AXIS_STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10)
# Guessing loses 2.3 nats; a loss that explodes would press all others onto the axis.
_HIGHEST_LOSS = 10.0

Points = list[tuple[float, float | None]]


def train_curve(points: Points) -> Curve:
    """Return a curve of what was seen in training."""
    return Curve("training", BLUE, points)


def validation_curve(points: Points) -> Curve:
    """Return a curve of what was seen in validation."""
    return Curve("validation", ORANGE, points)


def loss_curves(run: Run) -> list[Curve]:
    """Return both losses in nats, and marks at the kept and the last epoch."""
    return [
        train_curve([(_epochs_done(run, event), event.train_loss) for event in run.events]),
        validation_curve([(event.epoch, event.val_loss) for event in run.events]),
        *_marks(run),
    ]


def accuracy_curves(run: Run) -> list[Curve]:
    """Return the validation accuracy in percent, that of its sample, and the same marks."""
    sample: Points = [
        (_epochs_done(run, event), to_percent(event.sample_accuracy)) for event in run.events
    ]
    ends: Points = [(event.epoch, to_percent(event.val_accuracy)) for event in run.events]
    return [Curve("500 of its pictures", SKY, sample), validation_curve(ends), *_marks(run)]


def to_percent(share: float | None) -> float | None:
    """Return a share, in [0, 1], in percent; None as it is, which a chart leaves out."""
    return None if share is None else 100 * share


def _epochs_done(run: Run, event: TrainEvent) -> float:
    """Return at which epoch an event came, with its fraction."""
    return event.step / event.num_steps * run.config.epochs


def _marks(run: Run) -> list[Curve]:
    kept = [event.epoch for event in run.events if event.is_best]
    marks = [Curve("epoch kept", GREY, [(max(kept), 0.0)] if kept else [], is_mark=True)]
    if run.config.patience:
        ends: Points = [(run.events[-1].epoch, 0.0)] if run.stopped_early else []
        marks.append(Curve("stopped early", VERMILION, ends, is_mark=True))
    return marks


def loss_axis(losses: Iterable[float | None]) -> list[float]:
    """Return the ends of an axis that holds losses but those that explode, and grows by steps.

    Args:
        losses: In nats; what is no number counts for nothing.
    """
    known = [loss for loss in losses if loss is not None and math.isfinite(loss)]
    highest = min(max(known, default=0.0), max([_HIGHEST_LOSS, *known[:1]])) or 1.0
    size = 10.0 ** math.floor(math.log10(highest))
    tops = (size * step for step in _AXIS_STEPS if size * step >= highest)
    return [0.0, next(tops, highest)]


def accuracy_axis(accuracies: Iterable[float | None]) -> list[float]:
    """Return the ends of an axis in percent that holds accuracies, and grows by steps.

    Args:
        accuracies: In [0, 1].
    """
    lowest = 100 * min((one for one in accuracies if one is not None), default=0.9)
    step = 1.0 if lowest >= 90 else 10.0
    return [min(99.0, step * math.floor(lowest / step)), 100.0]
