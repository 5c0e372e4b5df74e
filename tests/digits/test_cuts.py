import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foundry.digits.cuts import Candidate, choose_path, list_candidates
from foundry.digits.parts import Box, Part


def part(left, top, right, bottom):
    return Part(Box(left, top, right, bottom), np.ones((bottom - top, right - left), np.float32))


def spans(*parts):
    """Return the first and last piece of every candidate for a digit of 40 pixels."""
    found = list_candidates(parts, list(range(len(parts))), 40)
    return {(one.first, one.last) for one in found}


def test_a_piece_may_touch_one_that_begins_further_right():
    """The foot of a two, the end of its bow and its neck, which is all that joins them."""
    foot, end, neck = part(8, 34, 26, 44), part(16, 4, 26, 9), part(22, 4, 34, 34)
    assert (0, 3) in spans(foot, end, neck)
    assert (0, 2) not in spans(foot, end, neck)


def test_what_is_far_apart_is_no_digit():
    first, second, third = part(0, 0, 10, 40), part(30, 0, 40, 40), part(70, 0, 80, 40)
    assert spans(first, second, third) == {(0, 1), (1, 2), (2, 3)}


def test_what_is_in_a_piece_costs_no_gap_again():
    ring, dot = part(0, 0, 30, 40), part(12, 18, 16, 22)
    alone, both = (
        next(one for one in list_candidates([ring, dot], [0, 1], 40) if one.last == last)
        for last in (1, 2)
    )
    # Two parts in one digit cost 0.3 of themselves, and no more where nothing is between them.
    assert np.isclose(both.cost - alone.cost, 0.3)


def candidate(first, last, left, right):
    return Candidate(first, last, part(left, 0, right, 40), 0.0)


def test_two_digits_above_one_another_are_dearer_than_one():
    """All of the narrower is above the other: 5 nats but for a quarter; apart they cost none."""
    drops = [50.0, 50.0]
    for left, whole_cost, expected in [(0, 3.7, [2]), (0, 3.8, [0, 1]), (20, 3.7, [0, 1])]:
        halves = [candidate(0, 1, 0, 20), candidate(1, 2, left, left + 20)]
        whole = candidate(0, 2, 0, left + 20)
        assert choose_path([*halves, whole], [0, 0, whole_cost], drops) == expected


@given(st.data())
def test_no_other_path_is_cheaper(data):
    """All paths are tried, and the digits do not stand above one another."""
    num_pieces = data.draw(st.integers(1, 5))
    spans = list(itertools.combinations(range(num_pieces + 1), 2))
    found = [candidate(first, last, 10 * first, 10 * last) for first, last in spans]
    cost = st.integers(0, 20).map(float)
    costs = [data.draw(cost) for _ in found]
    drops = [data.draw(cost) for _ in range(num_pieces)]

    def total(path):
        kept = {piece for one in path for piece in range(found[one].first, found[one].last)}
        dropped = sum(drops[piece] for piece in range(num_pieces) if piece not in kept)
        return sum(costs[one] for one in path) + dropped

    def list_paths(at):
        yield []
        for index, one in enumerate(found):
            if one.first >= at:
                yield from ([index, *rest] for rest in list_paths(one.last))

    chosen = choose_path(found, costs, drops)
    assert all(found[a].last <= found[b].first for a, b in itertools.pairwise(chosen))
    assert total(chosen) == min(map(total, list_paths(0)))


def test_whole_parts_are_joined_however_many_pieces_they_are_cut_into():
    pieces = [part(10 * index, 0, 10 * index + 10, 40) for index in range(6)]
    found = list_candidates(pieces, [0, 0, 0, 1, 1, 1], 60)
    assert (0, 6) in {(one.first, one.last) for one in found}
    assert (0, 5) not in {(one.first, one.last) for one in found}
