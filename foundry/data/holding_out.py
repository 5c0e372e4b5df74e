"""Which examples are set aside to judge by: a fifth of each class, by chance and for good."""

from collections.abc import Sequence

import numpy as np

HELD_OUT = 0.2


def hold_out(
    labels: Sequence[str], digests: Sequence[str], decided: Sequence[bool | None], seed: int
) -> list[bool]:
    """Decide for every example whether it is set aside.

    What was decided stays, so that no picture is learned that was to judge, and the other way
    round. A class that has lost all of one side to removals is divided anew.

    Args:
        labels: Of which class each is.
        digests: Names each picture.
        decided: What was decided earlier; None for an example that is new.
        seed: Of the choice.

    Returns:
        In their order; of each class of two or more, at least one is set aside and one is not.
    """
    known = list(decided)
    # In the order of the names: a class that is added does not change the others' choice.
    for label in sorted(set(labels)):
        places = [place for place, other in enumerate(labels) if other == label]
        held = {known[place] for place in places}
        if None not in held and held != {True, False}:
            for place in places:
                known[place] = None
        # By digest: the order in which pictures came does not matter.
        open_places = sorted(
            (place for place in places if known[place] is None), key=lambda place: digests[place]
        )
        num_held = sum(known[place] is True for place in places)
        num_taught = sum(known[place] is False for place in places)
        wanted = max(1, round(HELD_OUT * len(places))) - num_held
        if num_taught == 0:
            wanted = min(wanted, len(open_places) - 1)
        rng = np.random.default_rng([seed, *label.encode()])
        chosen = set(rng.permutation(len(open_places))[: max(0, wanted)].tolist())
        for rank, place in enumerate(open_places):
            known[place] = rank in chosen
    return [bool(is_held_out) for is_held_out in known]
