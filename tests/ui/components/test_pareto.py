"""The front of points of which less of one thing and more of the other is better."""

from hypothesis import given
from hypothesis import strategies as st

from foundry.ui.components.pareto import pareto_front

POINTS = st.lists(
    st.tuples(st.floats(0.01, 1e4, allow_nan=False), st.floats(0, 1, allow_nan=False)), min_size=1
)


@given(POINTS)
def test_nothing_beats_the_front_and_the_front_beats_all_else(points):
    def beats(one, other):
        return one != other and one[0] <= other[0] and one[1] >= other[1]

    front = pareto_front(points)
    for index, point in enumerate(points):
        beaten = any(beats(other, point) for other in points)
        if index in front:
            assert not beaten
        else:
            assert beaten or point in [points[i] for i in front]


def test_the_front_of_known_points():
    # The second is slower and worse than the first; the third is slower and better.
    assert pareto_front([(1.0, 0.9), (2.0, 0.8), (3.0, 0.95)]) == [0, 2]
