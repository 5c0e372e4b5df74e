"""Which examples are set aside for validation: a fifth of each class, by chance and for good."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from foundry.photos.teaching.examples import Example

HELD_OUT = 0.2


def split_examples(examples: Sequence[Example], seed: int) -> list[Example]:
    """Decide for every example whether it is set aside.

    What was decided stays, so that no picture is learned that was to judge, and the other way
    round. A class that has lost all of one side to removals is divided anew.

    Args:
        examples: Each class with at least two.
        seed: Of the choice.

    Returns:
        The examples in their order; of each class at least one is set aside and one is not.
    """
    split = list(examples)
    # In the order of the names: a class that is added does not change the others' choice.
    for label in sorted({example.label for example in examples}):
        places = [i for i, example in enumerate(split) if example.label == label]
        held = {split[i].is_held_out for i in places}
        if None not in held and held != {True, False}:
            for i in places:
                split[i] = replace(split[i], is_held_out=None)
        # By digest: the order in which pictures came does not matter.
        open_places = sorted(
            (i for i in places if split[i].is_held_out is None), key=lambda i: split[i].digest
        )
        num_held = sum(split[i].is_held_out is True for i in places)
        num_taught = sum(split[i].is_held_out is False for i in places)
        wanted = max(1, round(HELD_OUT * len(places))) - num_held
        if num_taught == 0:
            wanted = min(wanted, len(open_places) - 1)
        rng = np.random.default_rng([seed, *label.encode()])
        chosen = set(rng.permutation(len(open_places))[: max(0, wanted)].tolist())
        for rank, i in enumerate(open_places):
            split[i] = replace(split[i], is_held_out=rank in chosen)
    return split
