import numpy as np
import scipy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from foundry.digits.sheet.lines import open_along, widen

masks = hnp.arrays(bool, st.tuples(st.integers(1, 20), st.integers(1, 20)))


@given(masks, st.integers(3, 25), st.sampled_from((0, 1)))
def test_opening_is_that_of_minimum_and_maximum_filters(
    mask: np.ndarray, size: int, axis: int
) -> None:
    eroded = scipy.ndimage.minimum_filter1d(mask, size, axis=axis, mode="nearest")
    # An even window is off its middle by half a pixel.
    back = -1 if size % 2 == 0 else 0
    expected = scipy.ndimage.maximum_filter1d(eroded, size, axis=axis, mode="nearest", origin=back)
    np.testing.assert_array_equal(open_along(mask, size, axis), expected)


@given(masks)
def test_widening_is_that_of_a_maximum_filter(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(widen(mask), scipy.ndimage.maximum_filter1d(mask, 3, axis=0))
