"""What both cards begin with, and the figures that they show."""

from dataclasses import dataclass

from foundry.recipes.sentiment.calibration import Calibration
from foundry.recipes.sentiment.evaluation import DomainFigures, ProbeFigures

# What the Hub reads.
FRONT_MATTER = """\
---
language: en
library_name: transformers
pipeline_tag: text-classification
base_model: {base_name}
license: other
license_name: see-licences-below
---
"""


@dataclass(frozen=True)
class CandidateFigures:
    """One model that could have been shipped.

    Attributes:
        name: How the card calls it.
        seeds: The seeds whose weights it is the mean of.
        sst2_dev_accuracy: In [0, 1].
        reviews_dev_accuracy: In [0, 1].
    """

    name: str
    seeds: tuple[int, ...]
    sst2_dev_accuracy: float
    reviews_dev_accuracy: float


@dataclass(frozen=True)
class FinalFigures:
    """The shipped files, read back and measured in float32.

    Attributes:
        sst2_dev_accuracy: SST-2 dev as published, in [0, 1].
        sst2_dev_typed_accuracy: The same sentences detokenised, in [0, 1].
        reviews_dev_accuracy: Customer reviews set aside, as published, in [0, 1].
        reviews_dev_typed_accuracy: The same sentences detokenised, in [0, 1].
        ece_before: Expected calibration error on `val` before calibration, in [0, 1].
        ece: The same of the shipped files.
        domains: Every domain of `dev`.
        probes: Denials and names.
        calibration: What was folded into the classifier.
        num_parameters: Parameters of the model.
        size_bytes: Size of `model.safetensors`.
    """

    sst2_dev_accuracy: float
    sst2_dev_typed_accuracy: float
    reviews_dev_accuracy: float
    reviews_dev_typed_accuracy: float
    ece_before: float
    ece: float
    domains: list[DomainFigures]
    probes: ProbeFigures
    calibration: Calibration
    num_parameters: int
    size_bytes: int
