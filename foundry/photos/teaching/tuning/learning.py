"""Fine-tuning: the last block and the head learn the examples together, as a stream of events."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from foundry.data.photos import PHOTO_SIZE, normalize_photos
from foundry.models.networks import EfficientNetLite0
from foundry.models.runtime import on_narrow_thread
from foundry.photos.teaching.examples import Example
from foundry.photos.teaching.tuning.state import TuneState
from foundry.photos.teaching.tuning.tail import Tail

NUM_EPOCHS = 10
_BATCH = 16
_LEARNING_RATE = 1e-4
# Of the bar: to look at the pictures takes about as long as to learn them.
_LOOKING = 0.5


@dataclass(frozen=True)
class TuneEvent:
    """How far a fine-tuning is.

    Attributes:
        epoch: Passes over the examples so far; 0 while the frozen blocks look at them.
        share: Done, in [0, 1].
        train_loss: Mean cross-entropy of the last pass, in nats; None before.
        val_accuracy: Share of the pictures set aside that are right, in [0, 1]; of epoch 0 that of
            the head alone, None before it is known.
        elapsed_s: Since the start, pauses left out.
    """

    epoch: int
    share: float
    train_loss: float | None
    val_accuracy: float | None
    elapsed_s: float


@dataclass(frozen=True)
class Lesson:
    """What the frozen blocks make of the pictures.

    Attributes:
        maps: Of the learned examples, each cut out in five places, float32 (N, 5, 192, 7, 7).
        targets: int64 (N,), their classes.
        checked: Of those set aside, the middle of each, float32 (M, 192, 7, 7).
        checked_targets: int64 (M,).
    """

    maps: Tensor
    targets: Tensor
    checked: Tensor
    checked_targets: Tensor


@on_narrow_thread
def compute_views(network: EfficientNetLite0, picture: Image.Image, has_corners: bool) -> Tensor:
    """Return what the frozen blocks make of parts of a picture, float32 (N, 192, 7, 7).

    Args:
        network: The shipped one.
        picture: RGB, as `square_photo()` gives it.
        has_corners: Whether the parts are the middle and the four corners; else the middle alone.
    """
    pixels, far = np.asarray(picture), picture.width - PHOTO_SIZE
    middle = far // 2
    corners = [(0, 0), (0, far), (far, 0), (far, far)] if has_corners else []
    # No mirror image: of a sign or a letter it would be another one.
    parts = [
        pixels[top : top + PHOTO_SIZE, left : left + PHOTO_SIZE]
        for top, left in [(middle, middle), *corners]
    ]
    with torch.no_grad():
        return network.compute_inner(normalize_photos(np.stack(parts))).clone()


def look(
    network: EfficientNetLite0,
    examples: Sequence[Example],
    labels: Sequence[str],
    pictures: Sequence[Image.Image],
) -> Iterator[float | Lesson]:
    """Let the frozen blocks look at all pictures, once.

    Args:
        network: The shipped one.
        examples: Split; at least one set aside, and not all.
        labels: Of the classes.
        pictures: Of the examples, RGB, as `square_photo()` gives them.

    Yields:
        The share done, in [0, 1], and the lesson at the end.
    """
    learned: list[Tensor] = []
    checked: list[Tensor] = []
    for done, (example, picture) in enumerate(zip(examples, pictures, strict=True)):
        views = compute_views(network, picture, has_corners=not example.is_held_out)
        (checked if example.is_held_out else learned).append(views)
        yield (done + 1) / len(pictures)
    targets = torch.tensor([labels.index(one.label) for one in examples])
    judges = torch.tensor([bool(one.is_held_out) for one in examples])
    yield Lesson(torch.stack(learned), targets[~judges], torch.cat(checked), targets[judges])


def tune(state: TuneState, lesson: Lesson, seed: int = 0) -> Iterator[TuneEvent]:
    """Train what is left of the epochs.

    Args:
        state: Changed in place, complete at every event.
        lesson: From `look()`.
        seed: Of the order, and of which part of each example is seen when.

    Yields:
        A reading after every epoch; before the first one how the head alone does.
    """
    started = time.perf_counter() - state.elapsed_s
    if not state.epoch:
        accuracy = _score(state.start, lesson)
        state.elapsed_s = time.perf_counter() - started
        yield TuneEvent(0, _LOOKING, None, accuracy, state.elapsed_s)
    while state.epoch < NUM_EPOCHS:
        train_loss = _run_epoch(state, lesson, seed)
        state.epoch += 1
        accuracy = _score(state.average(), lesson)
        state.elapsed_s = time.perf_counter() - started
        share = _LOOKING + (1 - _LOOKING) * state.epoch / NUM_EPOCHS
        yield TuneEvent(state.epoch, share, train_loss, accuracy, state.elapsed_s)


@on_narrow_thread
def _run_epoch(state: TuneState, lesson: Lesson, seed: int) -> float:
    # Of its own for every epoch, so that one that goes on after a pause has the same.
    rng = np.random.default_rng([seed, state.epoch])
    num_learned = len(lesson.targets)
    order = torch.from_numpy(rng.permutation(num_learned))
    place = torch.from_numpy(rng.integers(lesson.maps.shape[1], size=num_learned))
    num_batches = -(-num_learned // _BATCH)
    total = 0.0
    for number, chosen in enumerate(order.tensor_split(num_batches)):
        done = (state.epoch + number / num_batches) / NUM_EPOCHS
        state.optimizer.param_groups[0]["lr"] = _LEARNING_RATE * (1 - done)
        with torch.enable_grad():
            logits = state.tail(lesson.maps[chosen, place[chosen]])
            loss = F.cross_entropy(logits, lesson.targets[chosen])
            state.optimizer.zero_grad()
            loss.backward()
        state.optimizer.step()
        total += len(chosen) * float(loss.detach())
    return total / num_learned


def _score(tail: Tail, lesson: Lesson) -> float:
    return float(np.mean(np.equal(answer(tail, lesson), lesson.checked_targets.numpy())))


@on_narrow_thread
def answer(tail: Tail, lesson: Lesson) -> list[int]:
    """Return the likeliest class of each picture set aside."""
    with torch.inference_mode():
        # A few at a time: a thousand would need as much memory as all that was learned.
        return [int(i) for part in lesson.checked.split(64) for i in tail(part).argmax(1)]
