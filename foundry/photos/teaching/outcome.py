"""What came out of a teaching: how many were right, in figures that can be written as JSON."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

# Of the normal distribution: 95% lie within so many standard deviations.
_Z = 1.959964


@dataclass(frozen=True)
class Checked:
    """A picture that was set aside, and what was said of it.

    Attributes:
        digest: Names the picture.
        label: Its class.
        answer: What the head says.
        scratch_answer: What the network says that learned from scratch.
    """

    digest: str
    label: str
    answer: str
    scratch_answer: str

    def names(self) -> tuple[str, str, str]:
        """Return the class and both answers."""
        return self.label, self.answer, self.scratch_answer


@dataclass(frozen=True)
class Remembered:
    """How many pictures of the classes that were known before are still right.

    Attributes:
        num_pictures: Of those classes, set aside.
        num_before: Right with the head that was there before.
        num_after: Right now.
    """

    num_pictures: int
    num_before: int
    num_after: int


@dataclass(frozen=True)
class Outcome:
    """What came out.

    Attributes:
        labels: Of the classes.
        checked: Every picture that was set aside.
        num_learned: Pictures learned from.
        remembered: How the classes fare that were there before; None the first time.
        has_replayed: Whether old examples were learned again.
        elapsed_s: The features and the head.
        scratch_s: The network from scratch.
    """

    labels: tuple[str, ...]
    checked: tuple[Checked, ...]
    num_learned: int
    remembered: Remembered | None
    has_replayed: bool
    elapsed_s: float
    scratch_s: float

    @property
    def num_right(self) -> int:
        """How many of the pictures set aside the head names right."""
        return sum(one.answer == one.label for one in self.checked)

    @property
    def num_right_from_scratch(self) -> int:
        """How many the network from scratch names right."""
        return sum(one.scratch_answer == one.label for one in self.checked)

    @property
    def accuracy(self) -> float:
        """Share of the pictures set aside that the head names right, in [0, 1]."""
        return self.num_right / len(self.checked)

    @property
    def scratch_accuracy(self) -> float:
        """The same of the network from scratch."""
        return self.num_right_from_scratch / len(self.checked)

    def as_values(self) -> dict[str, Any]:
        """Return plain values, for `from_values()`."""
        return asdict(self)

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Self:
        """Return what `as_values()` was made of.

        Raises:
            KeyError, TypeError, ValueError: If it is something else.
        """
        remembered = values["remembered"]
        labels = tuple(values["labels"])
        checked = tuple(Checked(**one) for one in values["checked"])
        # Files come from anybody, and shares of nothing are no shares.
        if not checked or not {name for one in checked for name in one.names()} <= set(labels):
            raise ValueError("answers that are none of the classes")
        if not all(isinstance(name, str) for name in (*labels, *(one.digest for one in checked))):
            raise ValueError("names that are no texts")
        made = {
            "labels": labels,
            "checked": checked,
            "remembered": None if remembered is None else Remembered(**_counts(remembered)),
            "num_learned": int(values["num_learned"]),
            "has_replayed": bool(values["has_replayed"]),
            "elapsed_s": float(values["elapsed_s"]),
            "scratch_s": float(values["scratch_s"]),
        }
        return cls(**{**values, **made})


@dataclass(frozen=True)
class Tuned:
    """What came out of fine-tuning, on the pictures set aside that were still there.

    Attributes:
        answers: The digest of each picture, and what is said of it.
        num_right: How many are right.
        num_right_of_head: How many of the same the head alone names right.
        epochs: Passes over the examples.
        elapsed_s: What it took, pauses left out.
    """

    answers: tuple[tuple[str, str], ...]
    num_right: int
    num_right_of_head: int
    epochs: int
    elapsed_s: float

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Self:
        """Return what `asdict()` made plain values of.

        Raises:
            KeyError, TypeError, ValueError: If it is something else.
        """
        answers = tuple((str(digest), str(label)) for digest, label in values["answers"])
        rest = {**values, "answers": answers, "elapsed_s": float(values["elapsed_s"])}
        for name in ("num_right", "num_right_of_head", "epochs"):
            rest[name] = int(values[name])
        both = rest["num_right"], rest["num_right_of_head"]
        if not answers or not all(0 <= num_right <= len(answers) for num_right in both):
            raise ValueError("more right than there are answers, or fewer than none")
        return cls(**rest)


def _counts(values: dict[str, Any]) -> dict[str, int]:
    return {name: int(value) for name, value in values.items()}


def estimate_interval(num_right: int, num_all: int) -> tuple[float, float]:
    """Return the shares, in [0, 1], between which the true one lies 19 times of 20.

    Args:
        num_right: How many were right.
        num_all: Of how many, at least one.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    share, spread = num_right / num_all, _Z**2 / num_all
    centre = (share + spread / 2) / (1 + spread)
    reach = _Z * math.sqrt(share * (1 - share) / num_all + spread / (4 * num_all)) / (1 + spread)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def tell_accuracy(num_right: int, num_all: int) -> str:
    """Say how many were right, and between which shares the true one lies 19 times of 20."""
    low, high = estimate_interval(num_right, num_all)
    return f"{num_right} of {num_all} right: between {low:.0%} and {high:.0%}."


def count_confusions(outcome: Outcome) -> list[list[int]]:
    """Return how many pictures of each class, a row, got which answer, a column."""

    def count(label: str, answer: str) -> int:
        pairs: Sequence[Checked] = outcome.checked
        return sum((one.label, one.answer) == (label, answer) for one in pairs)

    return [[count(label, answer) for answer in outcome.labels] for label in outcome.labels]
