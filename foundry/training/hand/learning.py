"""Going on from a trained network with a visitor's drawings, with MNIST among them or without."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch

from foundry.data import DIGITS, NUM_CLASSES, PIXEL_MEAN, PIXEL_STD, DataSet, Split, normalize
from foundry.errors import InputError
from foundry.models.networks.digits import DigitNetwork
from foundry.models.networks.growing import grow_head
from foundry.models.runtime import on_narrow_thread
from foundry.training.augmentation import draw_affine, random_affine
from foundry.training.config import TrainConfig
from foundry.training.evaluation import Evaluation, evaluate
from foundry.training.loop import TrainEvent, train
from foundry.training.state import TrainState

MIN_DRAWINGS = 5
# Of a class that the network does not know.
MIN_NEW = 3
NUM_REPLAYED = 15_000
# Changed copies of all drawings together; of a class that MNIST lacks as many as of one it has.
NUM_VARIED = 600
_NUM_NEW = NUM_REPLAYED // NUM_CLASSES
# One pass, at a rate that leaves most of what was learned where it is.
HAND = TrainConfig(
    epochs=1,
    batch_size=128,
    learning_rate=5e-4,
)
# How a hand varies from one drawing to the next.
_ROTATION_DEG, _SHIFT_PX, _SCALE = 10.0, 1.0, 0.1
_NUM_WATCHED = 500


@dataclass(frozen=True)
class Lesson:
    """What is to be learned.

    Attributes:
        start: The network that it goes on from; not modified.
        learned: Drawings to learn from.
        aside: Drawings to judge by.
        classes: Those of the start, then those that are new.
    """

    start: DigitNetwork
    learned: Split
    aside: Split
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Scores:
    """How a network does.

    Attributes:
        mnist: Share of MNIST's test split that is read right, in [0, 1].
        own: Drawings set aside that are read right.
        num_own: Drawings set aside.
    """

    mnist: float
    own: int
    num_own: int


@dataclass(frozen=True)
class HandEvent:
    """How far a training is, a dozen times.

    Attributes:
        share: Done, in [0, 1].
        sample_accuracy: Share of the first 500 of MNIST's validation digits that are read right.
    """

    share: float
    sample_accuracy: float


@dataclass(frozen=True)
class Learned:
    """What came out.

    Attributes:
        network: In evaluation mode.
        state: Of the training, at its end.
        events: Of the training.
        test: How it does on MNIST's test split.
        scores: The same in short, with the drawings set aside.
    """

    network: DigitNetwork
    state: TrainState
    events: tuple[TrainEvent, ...]
    test: Evaluation
    scores: Scores


def plan_lesson(
    start: DigitNetwork,
    images: torch.Tensor,
    labels: Sequence[str],
    held_out: Sequence[bool],
) -> Lesson:
    """Put drawings into the form in which a network learns them.

    Args:
        start: Reads digits, and perhaps more.
        images: Drawings as it sees them, uint8 (N, 28, 28).
        labels: The class of each.
        held_out: Which of them judge.

    Raises:
        InputError: If there are too few to learn from, or none to judge by.
    """
    new = list(dict.fromkeys(label for label in labels if label not in start.classes))
    for label in new:
        if labels.count(label) < MIN_NEW:
            raise InputError(
                f"The class “{label}” is new to the network; it needs at least {MIN_NEW} drawings."
            )
    if len(labels) < MIN_DRAWINGS or not any(held_out):
        raise InputError(
            f"Put at least {MIN_DRAWINGS} drawings right first, two of them of the same class: one "
            "to learn from, one to judge by."
        )
    classes = (*start.classes, *new)
    numbers = torch.tensor([classes.index(label) for label in labels])
    aside = torch.tensor(held_out)
    return Lesson(
        start,
        Split(images[~aside], numbers[~aside]),
        Split(images[aside], numbers[aside]),
        classes,
    )


def measure(network: DigitNetwork, aside: Split, mnist: DataSet) -> Scores:
    """Measure a network before or after.

    Args:
        network: Left in evaluation mode.
        aside: Drawings to judge by; a class that the network does not have is never right.
        mnist: Its test split is read.
    """
    accuracy = evaluate(network, mnist.test).accuracy
    return Scores(accuracy, _count_right(network, aside), len(aside))


@on_narrow_thread
def _count_right(network: DigitNetwork, drawings: Split) -> int:
    device = network.last.weight.device
    with torch.inference_mode():
        answers = network(normalize(drawings.images).to(device)).argmax(1).cpu()
    return int((answers == drawings.labels).sum())


def learn_hand(
    lesson: Lesson,
    mnist: DataSet,
    has_replay: bool,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> Generator[HandEvent, None, Learned]:
    """Train a copy of a network on drawings, each changed a little every time it is shown.

    Args:
        lesson: What is to be learned.
        mnist: Replayed, validated and tested on.
        has_replay: Whether images of MNIST are among the drawings, twenty-five to one. Without,
            there are drawings in their place: as many updates, all of them of drawings.
        device: Where to train.
        seed: Of the changes, the choice of what is replayed, and the order.

    Yields:
        How far it is.

    Returns:
        The network, and how it does.

    Raises:
        DivergedError: If the network that it goes on from is so large that it leaves the numbers.

    Source: replay against forgetting, Robins, Catastrophic forgetting, rehearsal and
    pseudorehearsal, 1995.
    """
    generator = torch.Generator().manual_seed(seed)
    present = lesson.learned.labels.unique().tolist()
    copies = {
        label: NUM_VARIED // len(present) if lesson.classes[label] in DIGITS else _NUM_NEW
        for label in present
    }
    if has_replay:
        shown = _vary(lesson.learned, copies, generator)
        chosen = torch.randperm(len(mnist.train), generator=generator)[:NUM_REPLAYED]
        shown = Split(
            torch.cat([shown.images, mnist.train.images[chosen]]),
            torch.cat([shown.labels, mnist.train.labels[chosen]]),
        )
    else:
        num_each, rest = divmod(NUM_REPLAYED + sum(copies.values()), len(present))
        copies = {label: num_each + (place < rest) for place, label in enumerate(present)}
        shown = _vary(lesson.learned, copies, generator)
    architecture = str(cast(dict[str, object], lesson.start.config)["architecture"])
    config = replace(HAND, model=architecture, num_train_images=len(shown), seed=seed)
    state = TrainState(config, device, start=grow_head(lesson.start, lesson.classes))
    data = DataSet(shown, mnist.val, mnist.test, lesson.classes)
    watched = mnist.val.head(_NUM_WATCHED)
    events = []
    for event in train(state, data):
        events.append(event)
        # To look at every one would take half as long again as the training.
        if len(events) % 2 == 0 or state.is_finished:
            accuracy = evaluate(state.model, watched).accuracy
            yield HandEvent(event.step / event.num_steps, accuracy)
    network = cast(DigitNetwork, state.best_model())
    test = evaluate(network, mnist.test)
    scores = Scores(test.accuracy, _count_right(network, lesson.aside), len(lesson.aside))
    return Learned(network, state, tuple(events), test, scores)


@on_narrow_thread
def _vary(drawings: Split, copies: Mapping[int, int], generator: torch.Generator) -> Split:
    """Return so many images of each class, no two changed alike."""
    order = torch.cat(
        [
            places[torch.arange(num_copies) % len(places)]
            for label, num_copies in copies.items()
            for places in [torch.nonzero(drawings.labels == label).flatten()]
        ]
    )
    varied = random_affine(
        normalize(drawings.images[order]),
        _ROTATION_DEG,
        _SHIFT_PX,
        _SCALE,
        draw_affine(len(order), generator),
    )
    pixels = 255 * (varied[:, 0] * PIXEL_STD + PIXEL_MEAN)
    return Split(pixels.round().clamp(0, 255).to(torch.uint8), drawings.labels[order])
