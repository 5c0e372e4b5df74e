"""What is accepted as classes and as examples of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from foundry.data.names import check_class_name
from foundry.errors import InputError, counted

MIN_CLASSES, MAX_CLASSES = 2, 10
MIN_EXAMPLES, MAX_EXAMPLES = 3, 100
MAX_PICTURES = MAX_CLASSES * MAX_EXAMPLES
NONE_OF_THESE = "none of these"


@dataclass(frozen=True)
class Example:
    """A picture of a class.

    Attributes:
        digest: Names the picture: equal ones have equal digests.
        label: Of its class.
        is_held_out: Whether it is set aside for validation; None before it was decided.
        is_new: Whether it has come since the head was last trained.
    """

    digest: str
    label: str
    is_held_out: bool | None = None
    is_new: bool = True

    def __post_init__(self) -> None:
        """Refuse what is no example: files come from anybody.

        Raises:
            TypeError: If something is of another type.
        """
        is_told = isinstance(self.is_held_out, bool | None) and isinstance(self.is_new, bool)
        if not (isinstance(self.digest, str) and isinstance(self.label, str) and is_told):
            raise TypeError("no example")


def check_label(label: object) -> str:
    """Return the name of a class as `check_class_name()` does.

    Args:
        label: What somebody calls it.

    Raises:
        InputError: As there, or if it is taken.
    """
    plain = check_class_name(label)
    if plain.casefold() == NONE_OF_THESE:
        raise InputError(
            f"“{NONE_OF_THESE}” is the answer when no class fits; call the class differently."
        )
    return plain


def check_labels(labels: Sequence[str]) -> None:
    """Check that the names of classes are neither too many nor alike.

    Args:
        labels: Of different classes.

    Raises:
        InputError: If there are too many, or two that differ only in capitals.
    """
    if len(labels) > MAX_CLASSES:
        raise InputError(f"There are {len(labels)} classes; at most {MAX_CLASSES} are accepted.")
    folded = Counter(label.casefold() for label in labels)
    for label in labels:
        if folded[label.casefold()] > 1:
            raise InputError(
                f"Two classes are called “{label}”, but for capitals; each needs a name of its own."
            )


def check_enough(labels: Sequence[str], examples: Iterable[Example]) -> None:
    """Check that there is enough to learn from.

    Args:
        labels: Of the classes.
        examples: Of all of them.

    Raises:
        InputError: If there are too few classes, or a class has too few examples.
    """
    if len(labels) < MIN_CLASSES:
        raise InputError(
            f"{MIN_CLASSES} to {MAX_CLASSES} classes are needed to tell pictures apart, not "
            f"{len(labels)}."
        )
    counts = Counter(example.label for example in examples)
    for label in labels:
        if counts[label] == 0:
            raise InputError(
                f"The class “{label}” is empty; each needs at least {MIN_EXAMPLES} pictures."
            )
        if counts[label] < MIN_EXAMPLES:
            raise InputError(
                f"The class “{label}” has {counted(counts[label], 'picture')}; each needs at least "
                f"{MIN_EXAMPLES}."
            )


def check_room(label: str, examples: Iterable[Example], num_added: int) -> None:
    """Check that a class has room for more.

    Args:
        label: Of the class.
        examples: That there are, of any class.
        num_added: How many are to come.

    Raises:
        InputError: If they would be too many.
    """
    num_there = sum(example.label == label for example in examples)
    if num_there + num_added > MAX_EXAMPLES:
        raise InputError(
            f"The class “{label}” would have {num_there + num_added:,} pictures; at most "
            f"{MAX_EXAMPLES} are accepted."
        )


def find_elsewhere(examples: Iterable[Example], digest: str, label: str) -> None:
    """Refuse a picture that another class has.

    Args:
        examples: That there are.
        digest: Of the picture.
        label: The class that it is to be an example of.

    Raises:
        InputError: If another class has it; the message names both.
    """
    for example in examples:
        if example.digest == digest and example.label != label:
            raise InputError(
                f"The same picture is in “{example.label}” and in “{label}”; it can be an example "
                "of one class only."
            )
