"""Teaching: from examples to a head, with what it is worth, as a stream of events."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from foundry.data.photos import frame_photo, normalize_photos
from foundry.models.networks import EfficientNetLite0
from foundry.models.runtime import on_narrow_thread
from foundry.photos.model import prepare_photo
from foundry.photos.teaching.examples import Example
from foundry.photos.teaching.head import NUM_STEPS, Head, train_head
from foundry.photos.teaching.novelty import Novelty, learn_novelty
from foundry.photos.teaching.outcome import Checked, Outcome, Remembered
from foundry.photos.teaching.scratch import NUM_EPOCHS, shrink, train_from_scratch

Stage = Literal["features", "head", "scratch"]


@dataclass(frozen=True)
class LearnEvent:
    """How far a teaching is.

    Attributes:
        stage: What goes on: the frozen network looks at the pictures, the head is trained, or the
            network from scratch.
        share: Of that stage done, in [0, 1].
        train_loss: Of what is trained, in nats; None before.
        val_accuracy: Share of the pictures set aside that are right, in [0, 1]; None before.
    """

    stage: Stage
    share: float
    train_loss: float | None = None
    val_accuracy: float | None = None


@dataclass(frozen=True)
class Learned:
    """What was learned.

    Attributes:
        head: Answers.
        novelty: Says when none of the answers fits.
        outcome: What it is worth.
    """

    head: Head
    novelty: Novelty
    outcome: Outcome


@on_narrow_thread
def compute_features(network: EfficientNetLite0, picture: Image.Image) -> Tensor:
    """Return what the frozen network makes of a picture, float32 (1280,).

    One picture at a time and on one core: the numbers depend on neither its neighbours nor the
    machine's number of cores.

    Args:
        network: The shipped one.
        picture: Upright, of any size.
    """
    # No inference mode: a head is trained on what comes out.
    with torch.no_grad():
        return network.compute_features(prepare_photo(picture))[0].clone()


def learn(
    network: EfficientNetLite0,
    examples: Sequence[Example],
    labels: tuple[str, ...],
    pictures: Sequence[Image.Image],
    features: dict[str, Tensor],
    previous: Head | None = None,
    has_replay: bool = True,
    seed: int = 0,
) -> Iterator[LearnEvent | Learned]:
    """Teach classes, and compare with what comes out from scratch.

    Args:
        network: The shipped one; stays as it is.
        examples: Split, at least one of each class set aside and two not.
        labels: Of the classes.
        pictures: Of the examples, RGB squares.
        features: By digest, as far as they are known; the missing ones are added.
        previous: The head that was there before.
        has_replay: Whether the old examples are learned again. Without, the previous head goes on
            with the new ones alone.
        seed: Of the network from scratch.

    Yields:
        Readings, and what was learned at the end.
    """
    started = time.perf_counter()
    for done, (example, picture) in enumerate(zip(examples, pictures, strict=True)):
        if example.digest not in features:
            features[example.digest] = compute_features(network, picture)
            yield LearnEvent("features", (done + 1) / len(examples))
    known = torch.stack([features[example.digest] for example in examples])
    targets = torch.tensor([labels.index(example.label) for example in examples])
    is_held_out = torch.tensor([bool(example.is_held_out) for example in examples])
    is_learned = ~is_held_out
    from_zero = has_replay or previous is None
    if not from_zero:
        is_learned &= torch.tensor([example.is_new for example in examples])
    if not is_learned.any():
        # Nothing new to learn: the old examples are all that there is.
        from_zero, is_learned = True, ~is_held_out
    checked = known[is_held_out], targets[is_held_out]
    for event in train_head(
        known[~is_held_out],
        targets[~is_held_out],
        labels,
        None if from_zero else previous,
        is_learned[~is_held_out],
    ):
        accuracy = _score(event.head, *checked)
        yield LearnEvent("head", event.step / NUM_STEPS, event.train_loss, accuracy)
    head = event.head
    elapsed_s = time.perf_counter() - started
    small = np.stack([shrink(frame_photo(picture)) for picture in pictures])
    for scratch in train_from_scratch(
        small[(~is_held_out).numpy()], targets[~is_held_out], len(labels), seed
    ):
        said = _answer(scratch.network, small[is_held_out.numpy()])
        accuracy = float(np.mean(said == checked[1].numpy()))
        yield LearnEvent("scratch", scratch.epoch / NUM_EPOCHS, scratch.train_loss, accuracy)
    scratch_s = time.perf_counter() - started - elapsed_s
    held = [example for example in examples if example.is_held_out]
    outcome = Outcome(
        labels,
        tuple(
            Checked(one.digest, one.label, labels[answer], labels[int(scratch_answer)])
            for one, answer, scratch_answer in zip(held, _name(head, checked[0]), said, strict=True)
        ),
        int(is_learned.sum()),
        _compare(previous, head, held, checked[0]),
        from_zero,
        elapsed_s,
        scratch_s,
    )
    yield Learned(head, _learn_novelty(network, known, is_held_out), outcome)


@on_narrow_thread
def _learn_novelty(network: EfficientNetLite0, features: Tensor, is_held_out: Tensor) -> Novelty:
    with torch.no_grad():
        logits = network.classifier(features)
    return learn_novelty(logits[~is_held_out], logits[is_held_out])


@on_narrow_thread
def _answer(network: torch.nn.Module, pictures: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return network(normalize_photos(pictures)).argmax(1).numpy()


@on_narrow_thread
def _name(head: Head, features: Tensor) -> list[int]:
    return head(features).argmax(1).tolist()


def _score(head: Head, features: Tensor, targets: Tensor) -> float:
    return float(np.mean(np.equal(_name(head, features), targets.numpy())))


def _compare(
    previous: Head | None, head: Head, held: Sequence[Example], features: Tensor
) -> Remembered | None:
    if previous is None:
        return None
    old = [i for i, one in enumerate(held) if one.label in previous.labels]

    def count(judge: Head) -> int:
        answers = _name(judge, features[old])
        return sum(
            judge.labels[answer] == held[i].label for i, answer in zip(old, answers, strict=True)
        )

    return Remembered(len(old), count(previous), count(head)) if old else None
