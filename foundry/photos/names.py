"""The thousand classes of ImageNet-1k by name, in English and in Chinese."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).with_name("names.tsv")


@dataclass(frozen=True)
class ClassName:
    """What a class is called.

    Attributes:
        synset: WordNet's number of the noun, such as `n01484850`.
        name: ImageNet's first name; two pairs of classes share theirs.
        shown: The same, with what tells it apart where two are alike.
        chinese: In simplified Chinese.

    Source: the nouns are WordNet 3.0's, in the order of ILSVRC-2012 (timm, Apache-2.0); the Chinese
    names were written for this project.
    """

    synset: str
    name: str
    shown: str
    chinese: str


@lru_cache
def load_names() -> tuple[ClassName, ...]:
    """Return the classes in the order of ImageNet-1k."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            ClassName(
                row["synset"],
                row["name"],
                f"{row['name']} ({row['remark']})" if row["remark"] else row["name"],
                row["chinese"],
            )
            for row in csv.DictReader(file, delimiter="\t")
        )


def find_names(labels: Sequence[str]) -> tuple[ClassName, ...] | None:
    """Return the classes that a model's labels stand for, None if they are not ImageNet-1k's.

    Args:
        labels: Of a model, in the order of its logits; of several names in one only the first, up
            to a comma, is compared.
    """
    names = load_names()
    if len(labels) != len(names):
        return None
    first = (label.split(",")[0].strip().casefold() for label in labels)
    is_imagenet = all(one == own.name.casefold() for one, own in zip(first, names, strict=True))
    return names if is_imagenet else None
