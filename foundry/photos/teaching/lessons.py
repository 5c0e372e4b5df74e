"""Teaching a visitor's project, and asking what was taught."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from PIL import Image

from foundry.errors import ArtifactError, InputError
from foundry.models import load_model
from foundry.models.networks import EfficientNetLite0
from foundry.models.runtime import on_narrow_thread
from foundry.photos.model import SHIPPED, prepare_photo
from foundry.photos.teaching.changes import hold, keep_learned
from foundry.photos.teaching.examples import NONE_OF_THESE, check_enough
from foundry.photos.teaching.head import Head
from foundry.photos.teaching.learning import Learned, LearnEvent, learn
from foundry.photos.teaching.novelty import Novelty
from foundry.photos.teaching.projects import Project
from foundry.photos.teaching.splitting import split_examples
from foundry.photos.teaching.tuning.tail import Tail, read_tail

SEED = 0


@dataclass(frozen=True)
class Said:
    """What is said of a picture.

    Attributes:
        label: Of the likeliest class, or `none of these`.
        probs: Class -> probability, the likeliest first.
        closeness: To the most similar examples, in [-1, 1].
        threshold: The least closeness with which a class fits.
    """

    label: str
    probs: dict[str, float]
    closeness: float
    threshold: float


@dataclass(frozen=True)
class Taught:
    """Classes that were taught.

    Attributes:
        network: Frozen.
        head: Answers.
        novelty: Says when none of the answers fits.
        tail: Answers in the head's place, with what was fine-tuned; None where the head alone does.
    """

    network: EfficientNetLite0
    head: Head
    novelty: Novelty
    tail: Tail | None = None


def load_frozen() -> EfficientNetLite0:
    """Return the shipped network, which all share and nobody changes."""
    network = load_model(SHIPPED)
    assert isinstance(network, EfficientNetLite0)
    return network


def teach_project(project: Project, has_replay: bool = True) -> Iterator[LearnEvent | Project]:
    """Teach a project's classes, and keep what comes out.

    Args:
        project: The visitor's own.
        has_replay: Whether examples that were learned before are learned again.

    Yields:
        Readings, and the project as it is then at the end.

    Raises:
        InputError: If there are too few classes or examples, or it was deleted meanwhile.
    """
    check_enough(project.labels, project.examples)
    split = split_examples(project.examples, SEED)
    features = project.read_features()
    try:
        known = project.read_head()
    except ArtifactError:
        # What it says is to train again.
        known = None
    try:
        pictures = replace(project, examples=tuple(split)).open_pictures()
    except FileNotFoundError:
        raise InputError("Some of the pictures were removed meanwhile; start again.") from None
    for event in learn(
        load_frozen(),
        split,
        project.labels,
        pictures,
        features,
        known[0] if known else None,
        has_replay,
        SEED,
    ):
        if isinstance(event, Learned):
            yield keep_learned(project, event, split, features)
        else:
            yield event


def load_taught(project: Project) -> Taught:
    """Return what a project was taught last.

    Args:
        project: The visitor's own.

    Raises:
        InputError: If it was never trained, or was deleted meanwhile.
        ArtifactError: If its file is damaged.
    """
    network = load_frozen()
    # Elsewhere it may just be trained anew.
    with hold(project) as now:
        known = now.read_head()
        if known is None:
            raise InputError("These classes were not trained yet; press Train first.")
        head, novelty = known
        has_tail = now.has_chosen_tuned
        tail = read_tail(now.tuned_file, network, head.labels) if has_tail else None
    return Taught(network, head, novelty, tail)


@on_narrow_thread
def ask(taught: Taught, image: Image.Image) -> Said:
    """Name one of the classes, or none.

    Args:
        taught: From `load_taught()`.
        image: Upright, of any size.
    """
    with torch.no_grad():
        inner = taught.network.compute_inner(prepare_photo(image))
        # Also what was fine-tuned is told from strangers by what the frozen network sees.
        features = taught.network.compute_features_of(inner)
        logits = taught.tail(inner) if taught.tail else taught.head(features)
        probs = logits.softmax(1)[0].tolist()
        closeness = float(taught.novelty.measure(taught.network.classifier(features))[0])
    ranked = dict(
        sorted(zip(taught.head.labels, probs, strict=True), key=lambda one: one[1], reverse=True)
    )
    fits = closeness >= taught.novelty.threshold
    return Said(
        next(iter(ranked)) if fits else NONE_OF_THESE, ranked, closeness, taught.novelty.threshold
    )
