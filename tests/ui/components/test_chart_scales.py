import itertools
import math

from hypothesis import example, given
from hypothesis import strategies as st

from foundry.ui.components.chart_scales import (
    LEFT,
    MAX_SPAN,
    WIDTH,
    is_off_scale,
    linear_scale,
    log_scale,
)

# Pixels: what 1,500,000 takes at its size.
ROOM = 62
RIGHT = 24


@given(st.lists(st.floats(0.1, 1e7), min_size=1, max_size=20))
def test_numbers_of_a_cost_are_inside_and_do_not_touch(values):
    place, ticks = log_scale(values, RIGHT)
    places = [place(tick) for tick in ticks]
    assert ticks
    assert all(LEFT <= x <= WIDTH - RIGHT for x in [*places, *map(place, values)])
    assert all(after - before >= ROOM for before, after in itertools.pairwise(places))
    # Equal factors are equal ways.
    assert math.isclose(place(10 * values[0]) - place(values[0]), place(10) - place(1))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
@example([0.0078125])  # Its scale spans 0.2, but for rounding.
def test_what_is_far_below_the_best_is_drawn_at_the_bottom(qualities):
    place, _ = linear_scale(qualities)
    best = max(qualities)
    bottom = place(max(100 * min(qualities), 100 * best - MAX_SPAN))
    for quality in qualities:
        assert place(100 * best) <= place(100 * quality) <= bottom
        if is_off_scale(quality, qualities):
            assert place(100 * quality) == bottom
