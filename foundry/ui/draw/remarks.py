"""What is to be said beside an answer: that it may be no digit, or more than one."""

from collections.abc import Sequence

import numpy as np

from foundry.digits import Reading
from foundry.digits.reading import find_several
from foundry.models.runtime import Predictor


def remark_on_drawing(model: Predictor, ink: np.ndarray, reading: Reading) -> str:
    """Say if what was read as one digit is several, or none; empty if neither.

    Args:
        model: What has read it.
        ink: float32 (H, W), in [0, 1].
        reading: All of it as one digit.
    """
    several = find_several(model, ink, reading)
    if several:
        number = "".join(str(one.digit) for one in several)
        return f"There are {len(several)} digits here; the photo reader makes {number} of them."
    return "" if reading.is_digit else "This does not look like a digit."


def remark_on_photo(readings: Sequence[Reading]) -> str:
    """Say how many of the digits on a photo look like none; empty if all are.

    Args:
        readings: Of one photo.
    """
    num_unlike = sum(not reading.is_digit for reading in readings)
    if not num_unlike:
        return ""
    if len(readings) == 1:
        return "This does not look like a digit."
    return f"Marks that do not look like digits: {num_unlike} of {len(readings)}."
