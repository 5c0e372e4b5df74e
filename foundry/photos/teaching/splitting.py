"""Which examples are set aside for validation: a fifth of each class, by chance and for good."""

from collections.abc import Sequence
from dataclasses import replace

from foundry.data.holding_out import hold_out
from foundry.photos.teaching.examples import Example


def split_examples(examples: Sequence[Example], seed: int) -> list[Example]:
    """Decide for every example whether it is set aside, as `hold_out()` does.

    Args:
        examples: Each class with at least two.
        seed: Of the choice.

    Returns:
        The examples in their order; of each class at least one is set aside and one is not.
    """
    decisions = hold_out(
        [example.label for example in examples],
        [example.digest for example in examples],
        [example.is_held_out for example in examples],
        seed,
    )
    return [
        replace(example, is_held_out=is_held_out)
        for example, is_held_out in zip(examples, decisions, strict=True)
    ]
