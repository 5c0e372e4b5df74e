"""Labelled sentences for sentiment: reading, splitting, and their ordinary spelling."""

import csv
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foundry.errors import InputError

SST2_TRAIN = Path("sst2/train.tsv")
SST2_DEV = Path("sst2/dev.tsv")
REVIEWS = Path("customer_reviews/train.tsv")

# The corpora are released once and the splits below are part of every figure measured on them,
# so the seed is a constant and not an option.
SPLIT_SEED = 20
REVIEWS_DEV_SHARE = 0.2
VAL_SHARE = 0.05


@dataclass(frozen=True)
class Example:
    """One labelled sentence.

    Attributes:
        text: The sentence as published.
        label: 0 for negative, 1 for positive.
    """

    text: str
    label: int


@dataclass(frozen=True)
class Corpus:
    """The examples by what they may be used for.

    Attributes:
        train: Weights are fitted on these.
        val: Held out of the training files: early stopping and temperature.
        sst2_dev: The published SST-2 development set.
        reviews_dev: Customer reviews set aside here: the file has no published split.
    """

    train: list[Example]
    val: list[Example]
    sst2_dev: list[Example]
    reviews_dev: list[Example]


def load_corpus(data_dir: Path) -> Corpus:
    """Read SST-2 and the customer reviews, and split off what training must not see.

    Args:
        data_dir: Folder with `sst2/train.tsv`, `sst2/dev.tsv` and `customer_reviews/train.tsv`,
            each a TSV with the columns `label` (0 or 1) and `text`.

    Returns:
        The corpus. Repeated sentences are kept once, so none is on both sides of a split.

    Raises:
        InputError: If a file is missing, lacks a column or holds another label.
    """
    sst2_dev = read_examples(data_dir / SST2_DEV)
    seen = {example.text for example in sst2_dev}
    sst2 = [example for example in read_examples(data_dir / SST2_TRAIN) if example.text not in seen]
    seen.update(example.text for example in sst2)
    reviews = [example for example in read_examples(data_dir / REVIEWS) if example.text not in seen]

    shuffler = random.Random(SPLIT_SEED)
    shuffler.shuffle(sst2)
    shuffler.shuffle(reviews)
    num_reviews_dev = round(REVIEWS_DEV_SHARE * len(reviews))
    reviews_dev, reviews = reviews[:num_reviews_dev], reviews[num_reviews_dev:]
    num_sst2_val = max(1, round(VAL_SHARE * len(sst2)))
    num_reviews_val = max(1, round(VAL_SHARE * len(reviews)))
    return Corpus(
        train=sst2[num_sst2_val:] + reviews[num_reviews_val:],
        val=sst2[:num_sst2_val] + reviews[:num_reviews_val],
        sst2_dev=sst2_dev,
        reviews_dev=reviews_dev,
    )


def read_examples(path: Path) -> list[Example]:
    """Read one TSV of labelled sentences, each distinct sentence once, in file order.

    Args:
        path: A UTF-8 TSV with a header naming the columns `label` and `text`.

    Returns:
        The examples.

    Raises:
        InputError: If the file is missing, lacks a column or holds a label other than 0 and 1.
    """
    if not path.is_file():
        raise InputError(f"There is no {path}: --data must name the folder that holds the corpora.")
    examples: dict[str, Example] = {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if not {"label", "text"} <= set(rows.fieldnames or ()):
            raise InputError(f"{path} must have the columns label and text.")
        for row in rows:
            if row["label"] not in ("0", "1"):
                raise InputError(f"{path} holds the label {row['label']!r}; only 0 and 1 are used.")
            examples.setdefault(row["text"], Example(row["text"], int(row["label"])))
    return list(examples.values())


_BRACKETS = {"-lrb-": "(", "-rrb-": ")", "-lsb-": "[", "-rsb-": "]", "``": '"', "''": '"'}


def detokenize(text: str) -> str:
    """Undo treebank tokenisation, so that a sentence looks as a person would type it.

    Letter case is left alone: the base's tokenizer lower-cases everything, so case never reaches
    the model.

    Args:
        text: A sentence with spaces between tokens, e.g. `it is n't bad -lrb- at all -rrb- .`

    Returns:
        The sentence with contractions joined, brackets and quotes restored, and punctuation
        attached to its word.
    """
    for token, character in _BRACKETS.items():
        text = text.replace(token, character)
    text = re.sub(r"\s*\bn ?'t\b", "n't", text)
    text = re.sub(r" '(s|re|ve|ll|d|m)\b", r"'\1", text)
    text = re.sub(r'"\s*([^"]*?)\s*"', r'"\1"', text)
    text = re.sub(r"\s+([,.!?;:%)\]])", r"\1", text)
    return re.sub(r"([(\[$#])\s+", r"\1", text)


def spellings(examples: Sequence[Example]) -> tuple[list[str], list[str]]:
    """Give every sentence in both spellings: as published, and as a person would type it.

    Args:
        examples: The examples.

    Returns:
        The published texts and the detokenised texts, in the same order.
    """
    published = [example.text for example in examples]
    return published, [detokenize(text) for text in published]
