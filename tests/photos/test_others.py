"""Other people's classifiers of pictures, here a tiny random one in a folder."""

import pytest
import torch
from PIL import Image
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

from foundry.errors import InputError
from foundry.photos import classify_photo, load_photo_model, rank


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vit")
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        image_size=32,
        patch_size=16,
        id2label={0: "a hat", 1: "a cat"},
        label2id={"a hat": 0, "a cat": 1},
    )
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def test_it_answers_with_its_own_labels(folder):
    model = load_photo_model(str(folder))
    probs = classify_photo(model, Image.new("RGBA", (50, 20), (0, 0, 0, 0)))
    assert {guess.label for guess in rank(model, probs, 5)} == {"a hat", "a cat"}
    assert probs.sum() == pytest.approx(1, abs=1e-5)


def test_a_model_of_texts_is_a_sentence(tiny_bert_dir):
    with pytest.raises(InputError, match="cannot be used for photos"):
        load_photo_model(str(tiny_bert_dir))
