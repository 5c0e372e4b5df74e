"""Labelled texts for sentiment: reading and splitting, each with the domain it comes from."""

import csv
import hashlib
import html
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foundry.errors import InputError

LABELS = {0: "negative", 1: "neutral", 2: "positive"}
NEGATIVE, NEUTRAL, POSITIVE = LABELS
# The files number them as they came: SST-2 had two labels before anything else had three.
_FILE_LABELS = {"0": NEGATIVE, "1": POSITIVE, "2": NEUTRAL}

SST2_TRAIN = Path("sst2/train.tsv")
SST2_DEV = Path("sst2/dev.tsv")
REVIEWS = Path("customer_reviews/train.tsv")

# Published parts of the treebank, which are not split here.
SST2 = "SST-2"
PHRASES = "phrases"
PRODUCT_REVIEWS = "product reviews"
REVIEW_SENTENCES = "review sentences"
TWEETS = "tweets"
EDITORIALS = "editorials"
DOMAINS = (SST2, PRODUCT_REVIEWS, REVIEW_SENTENCES, TWEETS, EDITORIALS)
# These are split by the hash of the text: a text is on one side whatever else is in the files.
_HASHED = {
    REVIEW_SENTENCES: [
        Path(f"review_sentences/{site}_train.tsv") for site in ("amazon", "imdb", "yelp")
    ],
    TWEETS: [Path("tweets/semeval_train.tsv"), Path("tweets/vader_train.tsv")],
    EDITORIALS: [Path("editorials/nyt_train.tsv")],
}

# The corpora are released once and the splits below are part of every figure measured on them,
# so these are constants and not options.
SPLIT_SEED = 20
REVIEWS_DEV_SHARE = 0.2
HASHED_DEV_SHARE = 0.15
VAL_SHARE = 0.05
# Phrases at least this long give away the sentence that they are cut from.
_TELLING_WORDS = 4

# SemEval's texts have some signs as JSON writes them.
_ESCAPE = re.compile(r"\\u([0-9a-f]{4})", re.IGNORECASE)


@dataclass(frozen=True)
class Example:
    """One labelled text.

    Attributes:
        text: As published, but for escapes, which are undone.
        label: A key of `LABELS`.
        domain: Where it comes from; one of `DOMAINS`, or `PHRASES`.
        told: Probabilities in the order of `LABELS` that a teacher gives it; None if none was
            asked.
    """

    text: str
    label: int
    domain: str = SST2
    told: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Corpus:
    """The examples by what they may be used for.

    Attributes:
        train: Weights are fitted on these.
        val: Held out of the training files, of every domain: early stopping and temperature.
        dev: Held out for the figures: the published development set of SST-2 with the treebank's
            neutral sentences, and what is set aside here of files that have no published split.
    """

    train: list[Example]
    val: list[Example]
    dev: list[Example]

    @property
    def sst2_dev(self) -> list[Example]:
        """The published development set of SST-2, which has no neutral sentences."""
        return select(without_neutral(self.dev), SST2)

    @property
    def reviews_dev(self) -> list[Example]:
        """Product reviews set aside."""
        return select(self.dev, PRODUCT_REVIEWS)


def select(examples: Sequence[Example], domain: str) -> list[Example]:
    """Return the examples of one domain."""
    return [example for example in examples if example.domain == domain]


def without_neutral(examples: Sequence[Example]) -> list[Example]:
    """Return the examples that are plainly negative or positive."""
    return [example for example in examples if example.label != NEUTRAL]


def load_corpus(data_dir: Path) -> Corpus:
    """Read all corpora, and split off what training must not see.

    Args:
        data_dir: Folder with TSVs of the columns `label` (0 negative, 1 positive, 2 neutral) and
            `text`: `sst2/{train,dev,train_phrases,train_neutral,dev_neutral}.tsv`,
            `customer_reviews/train.tsv`, `review_sentences/{amazon,imdb,yelp}_train.tsv`,
            `tweets/{semeval,vader}_train.tsv` and `editorials/nyt_train.tsv`.

    Returns:
        The corpus. Repeated texts are kept once, so none is on both sides of a split.

    Raises:
        InputError: If a file is missing, lacks a column or holds another label.
    """
    sst2_dev = read_examples(data_dir / SST2_DEV)
    seen = {example.text for example in sst2_dev}
    sst2 = _unseen(read_examples(data_dir / SST2_TRAIN), seen)
    reviews = _unseen(read_examples(data_dir / REVIEWS, PRODUCT_REVIEWS), seen)
    shuffler = random.Random(SPLIT_SEED)
    shuffler.shuffle(sst2)
    shuffler.shuffle(reviews)
    num_dev = round(REVIEWS_DEV_SHARE * len(reviews))
    reviews_dev, reviews = reviews[:num_dev], reviews[num_dev:]
    num_val = max(1, round(VAL_SHARE * len(sst2)))
    num_reviews_val = max(1, round(VAL_SHARE * len(reviews)))
    train = sst2[num_val:] + reviews[num_reviews_val:]
    val = sst2[:num_val] + reviews[:num_reviews_val]
    dev = sst2_dev + reviews_dev

    dev += _unseen(read_examples(data_dir / "sst2/dev_neutral.tsv"), seen)
    for example in _unseen(read_examples(data_dir / "sst2/train_neutral.tsv"), seen):
        (val if _place(example.text) < VAL_SHARE else train).append(example)
    for domain, paths in _HASHED.items():
        for path in paths:
            for example in _unseen(read_examples(data_dir / path, domain), seen):
                place = _place(example.text)
                if place < HASHED_DEV_SHARE:
                    dev.append(example)
                else:
                    (val if place < HASHED_DEV_SHARE + VAL_SHARE else train).append(example)
    phrases = _unseen(read_examples(data_dir / "sst2/train_phrases.tsv", PHRASES), seen)
    held_out = " \n ".join(["", *(example.text for example in select(val + dev, SST2)), ""])
    train += [
        phrase
        for phrase in phrases
        if len(phrase.text.split()) < _TELLING_WORDS or f" {phrase.text.strip()} " not in held_out
    ]
    return Corpus(train=train, val=val, dev=dev)


def read_examples(path: Path, domain: str = SST2) -> list[Example]:
    """Read one TSV of labelled texts, each distinct text once, in file order.

    Args:
        path: A UTF-8 TSV with a header naming the columns `label` and `text`.
        domain: Which the texts are of.

    Returns:
        The examples, without texts that have two labels.

    Raises:
        InputError: If the file is missing, lacks a column or holds a label other than 0, 1 and 2.
    """
    if not path.is_file():
        raise InputError(f"There is no {path}: --data must name the folder that holds the corpora.")
    examples: dict[str, Example] = {}
    contested: set[str] = set()
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if not {"label", "text"} <= set(rows.fieldnames or ()):
            raise InputError(f"{path} must have the columns label and text.")
        for row in rows:
            if row["label"] not in _FILE_LABELS:
                raise InputError(
                    f"{path} holds the label {row['label']!r}; only 0, 1 and 2 are used."
                )
            text = _unescape(row["text"])
            example = Example(text, _FILE_LABELS[row["label"]], domain)
            if examples.setdefault(text, example).label != example.label:
                contested.add(text)
    return [example for text, example in examples.items() if text not in contested]


def _unescape(text: str) -> str:
    return html.unescape(_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)).strip()


def _unseen(examples: Sequence[Example], seen: set[str]) -> list[Example]:
    """Return the examples whose text is not in `seen`, and add theirs."""
    new = [example for example in examples if example.text not in seen]
    seen.update(example.text for example in new)
    return new


def _place(text: str) -> float:
    """Give a text a place in [0, 1) that is always the same."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48
