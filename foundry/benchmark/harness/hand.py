"""Learning a hand from 30 drawings: how long it takes, what it gains, and what is forgotten."""

import time
from collections.abc import Iterator
from typing import cast

import numpy as np
import scipy
import torch

from foundry.data import NUM_CLASSES, load_mnist
from foundry.models import load_model
from foundry.models.networks.digits import DigitNetwork
from foundry.training.hand.learning import Learned, Lesson, learn_hand, measure, plan_lesson

# Hands other than MNIST's writers': what each makes of a digit, about its centre.
_HANDS = {
    "slanted": ((1.0, 0.0), (0.9, 0.8)),
    "turned": ((0.8, 0.6), (-0.6, 0.8)),
    "small": ((1.7, 0.0), (0.0, 1.7)),
}
_NUM_LEARNED, _NUM_ASIDE = 3, 40


def measure_hand() -> dict[str, float]:
    """Measure, with three drawings of each digit by each of three hands.

    Returns:
        `hand_s`, the longest time from drawings to a measured network; `hand_lost` and
        `hand_forgot`, the most points of MNIST's test split that are lost with replay and without;
        `hand_before` and `hand_after`, the share of 1,200 other drawings of those hands that is
        read right, with replay.
    """
    mnist, start = load_mnist(), _load_start()
    # The first optimizer of a process imports what all later ones use.
    torch.optim.SGD([torch.zeros(1)], lr=1.0)
    before = after = num_own = 0
    seconds, lost = [], {True: [0.0], False: [0.0]}
    for lesson in _plan_lessons():
        known = measure(start, lesson.aside, mnist)
        before += known.own
        num_own += known.num_own
        for has_replay in (True, False):
            started = time.perf_counter()
            learned = _learn(lesson, has_replay)
            seconds.append(time.perf_counter() - started)
            lost[has_replay].append(100 * (known.mnist - learned.scores.mnist))
            after += learned.scores.own if has_replay else 0
    return {
        "hand_s": max(seconds),
        "hand_lost": max(lost[True]),
        "hand_forgot": max(lost[False]),
        "hand_before": before / num_own,
        "hand_after": after / num_own,
    }


def _plan_lessons() -> Iterator[Lesson]:
    val, start = load_mnist().val, _load_start()
    num_each = _NUM_LEARNED + _NUM_ASIDE
    places = torch.cat(
        [torch.nonzero(val.labels == digit).flatten()[:num_each] for digit in range(NUM_CLASSES)]
    )
    held_out = (_NUM_LEARNED * [False] + _NUM_ASIDE * [True]) * NUM_CLASSES
    labels = [str(label) for label in val.labels[places].tolist()]
    for hand in _HANDS.values():
        images = torch.from_numpy(np.stack([_write(image, hand) for image in val.images[places]]))
        yield plan_lesson(start, images, labels, held_out)


def _load_start() -> DigitNetwork:
    return cast(DigitNetwork, load_model("lenet"))


def _write(image: torch.Tensor, hand: tuple[tuple[float, float], ...]) -> np.ndarray:
    matrix = np.array(hand)
    centre = np.full(2, (len(image) - 1) / 2)
    pixels = image.numpy().astype(float)
    written = scipy.ndimage.affine_transform(pixels, matrix, centre - matrix @ centre, order=1)
    return np.rint(written).astype(np.uint8)


def _learn(lesson: Lesson, has_replay: bool) -> Learned:
    learning = learn_hand(lesson, load_mnist(), has_replay)
    while True:
        try:
            next(learning)
        except StopIteration as end:
            learned: Learned = end.value
            return learned
