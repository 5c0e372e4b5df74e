"""The visitor's own digit through training: what the network made of it at each snapshot.

The page is sent the numbers of every snapshot as they are computed, and animates them itself.
"""

import base64
import json
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import gradio as gr
import numpy as np
import torch

from foundry.data import DIGITS
from foundry.models import load_model
from foundry.runs.data_sets import MNIST
from foundry.runs.folders import ACTIVE
from foundry.training.inspection.replay import Moment, Plane, fit_plane, list_moments, look_at
from foundry.training.runs import TRAININGS
from foundry.ui.components.model_choice import DEFAULT_MODEL
from foundry.ui.components.pad import build_pad, read_pad, see_drawing
from foundry.ui.components.plots import confusion_matrix, ink_mask
from foundry.ui.page.feedback import QUIET, shows_errors
from foundry.ui.train.inspection.cards import build_cards
from foundry.ui.train.inspection.digit_map import build_digit_map
from foundry.ui.train.inspection.watched import NUM_COUNTED, Beside, pictures_beside

_MOST_IN_MATRIX = 20
# Moments of two runs; one of the CNN's takes half a megabyte.
_NUM_KEPT = 80
# How far the map reaches, in what its points do at the end: on the way some lie further out.
_MARGIN = 1.15
# The first answer comes at once, then what has come together since.
_SEND_EVERY_S = 0.4
_OWN_WORDS = {
    "hint": "Draw: it is read as the network would have read it at every step.",
    "matrixTitle": "What it mixes up, on validation pictures",
    "matrixNote": "Rows: the class that it is. Columns: the class that was read.",
}
_WORDS = {
    "hint": "Draw a digit: it is read as the network would have read it at every step.",
    "matrixTitle": "What it mixes up, on 500 validation digits",
    "matrixNote": "Rows: the digit that was written. Columns: the digit that was read.",
}


@dataclass(frozen=True)
class _Seen:
    """What a network made of digits at a moment.

    Attributes:
        percents: A number a class for each digit, the visitor's first if there is one, then those
            that everybody is shown.
        answers: Of the counted digits, uint8; empty if they were left out, as is the next.
        hidden: What the last layer read of them, float16 (digits, neurons).
        own: The same of the visitor's digit, float32 (1, neurons); None if nothing is drawn.
    """

    percents: Sequence[Sequence[float]]
    answers: np.ndarray
    hidden: np.ndarray
    own: np.ndarray | None = None


@dataclass
class _Replay:
    """What has come together so far.

    Attributes:
        run_id: The run's; empty before the first.
        fixed: What is read beside the visitor's digit.
        classes: What the run tells apart.
        is_of_digits: Whether these are MNIST's digits, which the map lays out.
        ink: The visitor's digit as the network sees it, uint8 (28, 28); None if nothing is drawn.
        seen: By moment.
        plane: Where the counted digits are laid out; None before the end of the run was looked at.
    """

    run_id: str
    fixed: Beside
    classes: tuple[str, ...]
    is_of_digits: bool
    ink: np.ndarray | None
    seen: dict[Moment, _Seen] = field(default_factory=dict)
    plane: Plane | None = None

    def look(self, moment: Moment, is_counted: bool) -> None:
        """Read the digits as the network would have at a moment.

        Args:
            moment: One of the run's.
            is_counted: Whether the many that are counted are among them.
        """
        kept = _kept.get(moment)
        if kept and self.ink is None:
            self.seen[moment] = kept
            return
        # What everybody is shown is computed once, with the visitor's own or before it.
        counted = self.fixed.counted.images[: NUM_COUNTED * is_counted]
        fixed = torch.cat([self.fixed.shown.images, counted])
        others = fixed[:0] if kept else fixed
        own = [] if self.ink is None else [torch.from_numpy(self.ink[None])]
        look = look_at(moment, torch.cat([*own, others]))
        percents = [[round(100 * p, 1) for p in row] for row in look.probs.tolist()]
        hidden = look.hidden.numpy()
        if kept is None:
            first = len(own) + len(self.fixed.shown)
            answers = look.probs[first:].argmax(1).to(torch.uint8).numpy()
            kept = _Seen(percents[len(own) : first], answers, hidden[first:].astype(np.float16))
            if is_counted:
                _kept.keep(moment, kept)
        self.seen[moment] = replace(
            kept,
            percents=[*percents[: len(own)], *kept.percents],
            own=hidden[: len(own)] if own else None,
        )

    def fit(self, moment: Moment) -> None:
        """Lay the map out as the network sees digits at a moment, which was looked at."""
        self.plane = fit_plane(self.seen[moment].hidden.astype(np.float32))
        reach = np.abs(self.plane.place(self.seen[moment].hidden)).max() or 1.0
        self.plane = replace(self.plane, axes=self.plane.axes / (_MARGIN * reach))

    def render(self, is_whole: bool) -> str:
        """Return what the component shows, as JSON; `is_whole` says that no more will come."""
        moments = sorted(self.seen, key=lambda moment: moment.step or 0)
        has_story = is_whole and self.ink is not None
        return json.dumps(
            {
                "run": self.run_id,
                "ink": "" if self.ink is None else ink_mask(self.ink),
                "labels": self.fixed.shown.labels.tolist(),
                "names": self.classes,
                "isOfDigits": self.is_of_digits,
                "sprite": self.fixed.sprite,
                "frames": [self._describe(moment) for moment in moments],
                "said": self._tell(moments) if has_story else "",
                "isWhole": is_whole,
                **(_WORDS if self.is_of_digits else _OWN_WORDS),
            }
        )

    def _describe(self, moment: Moment) -> dict[str, Any]:
        seen = self.seen[moment]
        is_counted = len(seen.answers) > 0
        labels = self.fixed.counted.labels.numpy()
        has_map = is_counted and self.is_of_digits
        return {
            "step": moment.step,
            "percents": seen.percents,
            "matrix": self._count(labels, seen.answers) if is_counted else None,
            "answers": "".join(map(str, seen.answers)) if has_map else "",
            "points": self._place(seen.hidden) if has_map else "",
            "own": self._place(seen.own) if has_map and seen.own is not None else "",
        }

    def _count(self, labels: np.ndarray, answers: np.ndarray) -> list[int]:
        num_classes = len(self.classes)
        # Of more classes nobody would read a number.
        if num_classes > _MOST_IN_MATRIX:
            return []
        return confusion_matrix(labels, answers.astype(int), num_classes).ravel().tolist()

    def _place(self, hidden: np.ndarray) -> str:
        """Return where digits lie on the map: two bytes each, in base64."""
        if self.plane is None:
            return ""
        places = self.plane.place(hidden.astype(np.float32)).clip(-1, 1)
        whole = np.rint(127.5 + 127.5 * places).astype(np.uint8)
        return base64.b64encode(whole.tobytes()).decode()

    def _tell(self, moments: Sequence[Moment]) -> str:
        """Say since when the visitor's digit is read as it is at the end."""
        answers = [int(np.argmax(self.seen[moment].percents[0])) for moment in moments]
        last = answers[-1]
        others = [i for i, answer in enumerate(answers) if answer != last]
        if len(moments) < 2:
            return ""
        if not others:
            return f"Read as {self.classes[last]} from the start."
        since, before = moments[others[-1] + 1].step, self.classes[answers[others[-1]]]
        return f"Read as {self.classes[last]} since update {since:,}; just before, as {before}."


@shows_errors
def on_replay(token: str, event: gr.EventData) -> Iterator[str]:
    """Read the visitor's digit and others at every snapshot, that in sight first.

    Of a run on the visitor's own data the others are its own validation pictures.

    Args:
        token: The visitor's token.
        event: Carries the id of the run on show, the step in sight and the drawing.

    Yields:
        What the component shows, more each time.
    """
    run = TRAININGS.find_own(event.run, token)
    moments = list_moments(run)
    in_sight = next((one for one in moments if one.step == event.step), moments[-1])
    moments.sort(key=lambda moment: moment != in_sight)
    if run and not run.is_on_mnist:
        ink = see_drawing(run, event.drawing)
    else:
        reading = read_pad(load_model(DEFAULT_MODEL), event.drawing)
        ink = reading.image if reading else None
    fixed = pictures_beside(run.config.dataset if run else MNIST)
    replay = (
        _Replay(run.run_id, fixed, run.classes, run.is_on_mnist, ink)
        if run
        else _Replay("", fixed, DIGITS, True, ink)
    )
    # A run that goes on needs the processor itself: there, what is looked at is enough.
    counts_all = not (run and run.status in ACTIVE)
    first, *others = moments
    end = max(moments, key=lambda moment: moment.step or 0)
    work = [partial(replay.look, first, True)]
    if end != first:
        others.remove(end)
        work += [partial(replay.look, end, True)]
    if replay.is_of_digits:
        work += [partial(replay.fit, end)]
    work += [partial(replay.look, moment, counts_all) for moment in others]
    sent_s = -math.inf
    for step in work:
        step()
        if time.monotonic() - sent_s > _SEND_EVERY_S:
            yield replay.render(is_whole=False)
            sent_s = time.monotonic()
    yield replay.render(is_whole=True)


def warm_up() -> None:
    """Load the digits, so that no visitor waits for them."""
    pictures_beside(MNIST)


def build_replay(visitor: gr.BrowserState) -> None:
    """Build the row, closed.

    Args:
        visitor: Holds the visitor's token.
    """
    with (
        gr.Accordion("Your own digit through training", open=False, elem_id="train-replay"),
        gr.Row(elem_classes="one-and-two"),
    ):
        with gr.Column():
            build_pad("train-pad")
        with gr.Column():
            shown = build_cards("train-replayed")
            build_digit_map(lambda: pictures_beside(MNIST).counted)
    # Whoever pauses does not wait for the end of what is played.
    shown.select(on_replay, visitor, shown, trigger_mode="multiple", **QUIET)


class _Kept:
    """What the moments that were looked at last made of the digits that everybody is shown."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._seen: OrderedDict[Moment, _Seen] = OrderedDict()

    def get(self, moment: Moment) -> _Seen | None:
        with self._guard:
            return self._seen.get(moment)

    def keep(self, moment: Moment, seen: _Seen) -> None:
        with self._guard:
            self._seen[moment] = seen
            while len(self._seen) > _NUM_KEPT:
                self._seen.popitem(last=False)


_kept = _Kept()
