"""The models a recipe run has to choose from: one for each seed, and their average."""

import json
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import BertForSequenceClassification, PreTrainedModel, PreTrainedTokenizerBase

from foundry.recipes.sentiment.checkpoints import load_progress
from foundry.recipes.sentiment.data.batches import predict_logits
from foundry.recipes.sentiment.data.corpus import POSITIVE, Corpus, Example, without_neutral
from foundry.recipes.sentiment.data.spelling import detokenize
from foundry.recipes.sentiment.evaluation import is_positive_side
from foundry.recipes.sentiment.finetune import FinetuneConfig, FinetuneEvent, is_finished
from foundry.recipes.sentiment.lora import AdapterConfig, add_adapters, merge_adapters
from foundry.recipes.sentiment.pretrained import build_classifier
from foundry.recipes.sentiment.training import train
from foundry.recipes.workers import WorkersConfig

MERGED_FILE = "merged.safetensors"
RESULT_FILE = "result.json"


@dataclass(frozen=True)
class RunResult:
    """What one finished run measured.

    Attributes:
        method: `full` or `lora`.
        seed: The run's seed.
        num_trained: Number of trained parameters.
        epochs: Epochs done before the budget or early stopping ended the run.
        minutes: Wall-clock minutes of training.
        cpu_minutes: Processor minutes of training, over all threads.
        val_accuracy: Accuracy on the validation split of the training files, in [0, 1].
        sst2_dev_accuracy: Accuracy on SST-2 dev as published, in [0, 1].
        reviews_dev_accuracy: Accuracy on the reviews set aside, in [0, 1].
    """

    method: str
    seed: int
    num_trained: int
    epochs: int
    minutes: float
    cpu_minutes: float
    val_accuracy: float
    sst2_dev_accuracy: float
    reviews_dev_accuracy: float


def run_folder(checkpoints_dir: Path, method: str, seed: int) -> Path:
    """Name the folder of one run.

    Args:
        checkpoints_dir: Folder of all runs.
        method: `full` or `lora`.
        seed: The run's seed.

    Returns:
        The folder; may not exist yet.
    """
    return checkpoints_dir / f"{method}-seed{seed}"


def train_candidate(
    base_dir: Path,
    tokenizer: PreTrainedTokenizerBase,
    corpus: Corpus,
    config: FinetuneConfig,
    adapters: AdapterConfig | None,
    folder: Path,
    workers: WorkersConfig | None = None,
) -> Generator[FinetuneEvent, None, None]:
    """Train one seed and write its merged weights and its result; nothing if that is done.

    Args:
        base_dir: Folder of the base weights.
        tokenizer: The base's tokenizer.
        corpus: The sentences.
        config: The knobs.
        adapters: Size of the low-rank adapters; None trains the encoder itself.
        folder: The run's folder.
        workers: Where to train; None for this process.

    Yields:
        One event for each optimizer update.
    """
    if (folder / RESULT_FILE).is_file() and is_finished(load_progress(folder), config):
        return
    build = partial(_build_model, base_dir.resolve(), config, adapters)
    model = yield from train(build, tokenizer, corpus, config, folder, workers)
    num_trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    progress = load_progress(folder)
    merged: PreTrainedModel = model if adapters is None else merge_adapters(model)
    save_file(_state(merged), folder / MERGED_FILE)
    result = RunResult(
        method="full" if adapters is None else "lora",
        seed=config.seed,
        num_trained=num_trained,
        epochs=progress.epoch,
        minutes=progress.elapsed_s / 60,
        cpu_minutes=progress.cpu_s / 60,
        val_accuracy=measure_accuracy(merged, tokenizer, without_neutral(corpus.val)),
        sst2_dev_accuracy=measure_accuracy(merged, tokenizer, corpus.sst2_dev),
        reviews_dev_accuracy=measure_accuracy(merged, tokenizer, corpus.reviews_dev),
    )
    (folder / RESULT_FILE).write_text(
        json.dumps(asdict(result), indent=2, allow_nan=False), encoding="utf-8"
    )


def _build_model(
    base_dir: Path, config: FinetuneConfig, adapters: AdapterConfig | None
) -> BertForSequenceClassification | PeftModel:
    classifier = build_classifier(base_dir, config.dropout)
    if adapters is not None:
        return add_adapters(classifier, adapters)
    classifier.bert.embeddings.word_embeddings.requires_grad_(config.train_word_embeddings)
    return classifier


def load_results(checkpoints_dir: Path) -> list[RunResult]:
    """Read the results of all finished runs.

    Args:
        checkpoints_dir: Folder of all runs.

    Returns:
        The results by method, then seed.
    """
    results = [
        RunResult(**json.loads(path.read_text(encoding="utf-8")))
        for path in checkpoints_dir.glob(f"*/{RESULT_FILE}")
    ]
    return sorted(results, key=lambda result: (result.method, result.seed))


def load_average(
    base_dir: Path, dropout: float, folders: Sequence[Path]
) -> BertForSequenceClassification:
    """Build the classifier whose weights are the mean of those of several runs.

    The runs share their start, head included, which is what lets their mean work: it predicts
    about as well as their ensemble, at the cost of one model.

    Args:
        base_dir: Folder of the base weights.
        dropout: Written to the configuration; unused in evaluation.
        folders: Folders of finished runs; one folder gives that run's own model.

    Returns:
        The classifier, float32, in evaluation mode.

    Source:
        Wortsman et al. 2022, Model soups, section 2 (the uniform soup).
    """
    model = build_classifier(base_dir, dropout)
    states = [load_file(folder / MERGED_FILE) for folder in folders]
    model.load_state_dict(
        {name: torch.stack([state[name] for state in states]).mean(dim=0) for name in states[0]}
    )
    return model


def measure_accuracy(
    model: torch.nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    as_typed: bool = False,
) -> float:
    """Measure the share of examples whose side a model gives more than the other.

    Args:
        model: The classifier, of three labels or, as it was before, two.
        tokenizer: Its tokenizer.
        examples: The examples; none of them neutral.
        as_typed: Score the detokenised spelling in place of the published one.

    Returns:
        The accuracy, in [0, 1].
    """
    texts = [detokenize(e.text) if as_typed else e.text for e in examples]
    logits = predict_logits(model, tokenizer, texts)
    labels = torch.tensor([example.label == POSITIVE for example in examples])
    return (is_positive_side(logits) == labels).double().mean().item()


def _state(model: torch.nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().contiguous() for name, tensor in model.state_dict().items()}
