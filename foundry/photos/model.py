"""A classifier of photos: what runs, what its answers are called, what its input is made by."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from foundry.data.photos import flatten, frame_photo, normalize_photos
from foundry.models import DENSE, Variant, available_models, load_model, load_predictor
from foundry.models import load_pretrained as load_others
from foundry.models.hub import OnProgress
from foundry.models.runtime import Predictor
from foundry.photos.names import ClassName, find_names

SHIPPED = "efficientnet-lite0"


@dataclass(frozen=True)
class PhotoModel:
    """A classifier.

    Attributes:
        predict: From pictures, float32 (N, 3, H, W), to logits, (N, labels).
        labels: What each logit is of.
        names: The classes of ImageNet, if that is what the labels are.
        prepare: From an upright picture to one input, float32 (1, 3, H, W).
    """

    predict: Predictor
    labels: tuple[str, ...]
    names: tuple[ClassName, ...] | None
    prepare: Callable[[Image.Image], Tensor]


def prepare_photo(image: Image.Image) -> Tensor:
    """Return the middle of a picture as EfficientNet-Lite0 takes it, float32 (1, 3, 224, 224).

    Args:
        image: Upright, of any size.
    """
    return normalize_photos(np.asarray(frame_photo(image))[None])


def load_photo_model(
    name: str | Path, variant: Variant = DENSE, on_progress: OnProgress | None = None
) -> PhotoModel:
    """Load a classifier of photos.

    Args:
        name: A shipped one, the folder of one that was made here, or another's by its Hub id or
            local folder.
        variant: Which variant of it.
        on_progress: Called while files are downloaded or int8 is built.

    Raises:
        InputError: If there is no such model or variant, or it does not classify pictures.
        ArtifactError: If its files are damaged or cannot be downloaded.
    """
    if isinstance(name, Path) or name in (spec.name for spec in available_models("photos")):
        network: Any = load_model(name)
        labels = tuple(network.config["labels"])
        predict = load_predictor(name, "cpu", variant, on_progress)
        return PhotoModel(predict, labels, find_names(labels), prepare_photo)
    loaded = load_others(name, "photos", on_progress, variant)
    config: Any = loaded.model.config
    labels = tuple(config.id2label[index] for index in range(config.num_labels))

    def prepare(image: Image.Image) -> Tensor:
        made = loaded.processor(images=flatten(image), return_tensors="pt")
        pixels: Tensor = made["pixel_values"]
        return pixels

    return PhotoModel(loaded.predict, labels, find_names(labels), prepare)
