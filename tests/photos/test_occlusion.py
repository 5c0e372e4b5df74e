"""A part covered by hand, on the picture itself, and asked again."""

import numpy as np
import pytest
import torch

from foundry.data.photos import frame_photo
from foundry.errors import InputError
from foundry.models import load_model
from foundry.photos import load_photo_model
from foundry.photos.occlusion import Square, cover_and_ask
from foundry.ui.photos.examples import open_example


def test_the_answer_is_that_of_a_picture_with_a_grey_square():
    photo = open_example("A cup")
    picture = np.asarray(frame_photo(photo)).astype(np.float32)
    by_hand = picture.copy()
    by_hand[30:130, 60:160] = 127.5
    network = load_model("efficientnet-lite0")
    with torch.inference_mode():
        expected = [
            network(torch.from_numpy(one.transpose(2, 0, 1)[None]) / 127.5 - 1).softmax(1)[0]
            for one in (picture, by_hand)
        ]
    model = load_photo_model("efficientnet-lite0")
    covered = cover_and_ask(model, photo, Square(left=60, top=30, side=100))
    assert covered.before == pytest.approx(expected[0].numpy(), abs=1e-5)
    assert covered.after == pytest.approx(expected[1].numpy(), abs=1e-5)
    # What is covered is most of the coffee.
    assert covered.after[967] < covered.before[967] - 0.2


def test_with_all_of_it_covered_every_photo_is_the_same():
    model = load_photo_model("efficientnet-lite0")
    cat, cup = (
        cover_and_ask(model, open_example(title), Square(0, 0, 224)).after
        for title in ("A cat", "A cup")
    )
    assert cat == pytest.approx(cup)


@pytest.mark.parametrize("square", [(0, 0, 7), (-1, 0, 20), (0, 205, 20), (0, 0, 225)])
def test_a_square_that_is_not_on_the_picture_is_refused(square):
    with pytest.raises(InputError, match="8 to 224 pixels"):
        Square(*square)
