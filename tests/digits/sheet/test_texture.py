import numpy as np
import pytest

from foundry.digits.sheet.texture import measure_texture


def grid(pitch, height=300, width=400, thickness=2):
    rows, columns = np.mgrid[:height, :width]
    return (rows % pitch < thickness) | (columns % pitch < thickness)


@pytest.mark.parametrize("pitch", [13, 18, 30])
def test_grain_is_that_between_the_lines(pitch):
    """The standard deviation is the one that the noise was drawn with."""
    is_line = grid(pitch)
    noise = np.random.default_rng(0).normal(0, 0.01, is_line.shape)
    contrast = (noise + 0.5 * is_line).astype(np.float32)
    found = measure_texture(contrast, is_line)
    assert found.shape == contrast.shape
    assert np.isclose(np.median(found), 0.01, rtol=0.1)
    assert found.max() < 0.015
    # Nobody knew of the lines.
    assert np.median(measure_texture(contrast)) > 1.1 * np.median(found)


def test_where_lines_are_everywhere_grain_is_that_beside_them():
    noise = np.random.default_rng(0).normal(0, 0.01, (300, 400)).astype(np.float32)
    is_line = np.zeros(noise.shape, dtype=bool)
    is_line[:, :200] = True
    np.testing.assert_allclose(measure_texture(noise, is_line), 0.01, rtol=0.2)


def test_where_there_is_nothing_but_lines_there_is_no_grain():
    contrast = np.full((300, 400), 0.5, dtype=np.float32)
    assert not measure_texture(contrast, contrast > 0).any()


@pytest.mark.parametrize("pitch", [2, 6])
def test_grain_of_a_strip_is_known_beside_dense_lines(pitch):
    is_line = np.arange(1000)[None].repeat(14, axis=0) % pitch < pitch - 1
    noise = np.random.default_rng(0).normal(0, 0.01, is_line.shape).astype(np.float32)
    found = measure_texture(noise, is_line)
    assert found.shape == is_line.shape
    assert np.isfinite(found).all()
