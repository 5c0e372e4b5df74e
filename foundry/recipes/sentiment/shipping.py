"""From a trained classifier to the files in `weights/`, and what these files reach."""

import json
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import torch
from transformers import (
    AutoModelForSequenceClassification,
    BertForSequenceClassification,
    PreTrainedTokenizerBase,
)

from foundry.models.shipped import record_shipped
from foundry.recipes.sentiment.calibration import (
    Calibration,
    expected_calibration_error,
    fit_calibration,
)
from foundry.recipes.sentiment.candidates import measure_accuracy
from foundry.recipes.sentiment.cards.figures import FinalFigures
from foundry.recipes.sentiment.data.batches import predict_logits
from foundry.recipes.sentiment.data.corpus import LABELS, Corpus, Example
from foundry.recipes.sentiment.data.rules import list_names
from foundry.recipes.sentiment.evaluation import align, measure_domains, measure_probes
from foundry.recipes.sentiment.pretrained import build_tokenizer
from foundry.sentiment.pieces import label_names

MAX_ECE = 0.03
WEIGHTS_FILE = "model.safetensors"


def ship(
    model: BertForSequenceClassification,
    tokenizer: PreTrainedTokenizerBase,
    corpus: Corpus,
    out_dir: Path,
    is_taught: bool = False,
) -> FinalFigures:
    """Make names equal, calibrate, write as float16, read back as anyone would, and measure that.

    Args:
        model: The classifier, float32; changed in place, and float16 afterwards.
        tokenizer: Its tokenizer.
        corpus: The calibration is fitted on `val`, the figures are of `dev`.
        out_dir: Folder to write to; made if missing.
        is_taught: Whether a shipped model taught it: then its names are equal already, and its
            probabilities are those that it was taught.

    Returns:
        The figures of the written files.
    """
    if not is_taught:
        tokenizer = equalize_names(model, tokenizer)
    ece_before = _measure_ece(model, tokenizer, corpus.val)
    calibration = Calibration(1.0, (0.0,) * len(LABELS))
    if ece_before > MAX_ECE and not is_taught:
        val_logits = predict_logits(model, tokenizer, [example.text for example in corpus.val])
        calibration = fit_calibration(val_logits, _labels(corpus.val))
        # Folded into the last layer, so that plain from_pretrained gives calibrated answers.
        with torch.no_grad():
            model.classifier.weight.div_(calibration.temperature)
            model.classifier.bias.div_(calibration.temperature)
            model.classifier.bias.add_(torch.tensor(calibration.offsets))
    model.half().save_pretrained(out_dir)
    tokenizer.save_pretrained(out_dir)
    # The file is float16 to be small; the model is to be read and run as float32.
    config_path = out_dir / "config.json"
    config = json.loads(config_path.read_text(encoding="utf-8"))
    config_path.write_text(
        json.dumps(config | {"dtype": "float32"}, indent=2, allow_nan=False), encoding="utf-8"
    )
    record_shipped(out_dir.resolve() / WEIGHTS_FILE)
    shipped = AutoModelForSequenceClassification.from_pretrained(out_dir)
    labels = label_names(shipped)

    def answer(texts: Sequence[str]) -> torch.Tensor:
        return align(predict_logits(shipped, tokenizer, texts).softmax(dim=1), labels)

    return FinalFigures(
        sst2_dev_accuracy=measure_accuracy(shipped, tokenizer, corpus.sst2_dev),
        sst2_dev_typed_accuracy=measure_accuracy(
            shipped, tokenizer, corpus.sst2_dev, as_typed=True
        ),
        reviews_dev_accuracy=measure_accuracy(shipped, tokenizer, corpus.reviews_dev),
        reviews_dev_typed_accuracy=measure_accuracy(
            shipped, tokenizer, corpus.reviews_dev, as_typed=True
        ),
        ece_before=ece_before,
        ece=_measure_ece(shipped, tokenizer, corpus.val),
        domains=measure_domains(answer([example.text for example in corpus.dev]), corpus.dev),
        probes=measure_probes(answer),
        calibration=calibration,
        num_parameters=shipped.num_parameters(),
        size_bytes=(out_dir / WEIGHTS_FILE).stat().st_size,
    )


def equalize_names(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerBase
) -> PreTrainedTokenizerBase:
    """Give all countries one embedding, and so all nationalities and all first names, in place.

    A name alone then moves no answer. Names of several pieces become pieces of their own; those
    that are words as well are left as they are.

    Args:
        model: The classifier; its word embeddings are changed, and grow.
        tokenizer: Its tokenizer.

    Returns:
        The tokenizer that knows the new pieces.

    Source:
        Bolukbasi et al. 2016, Man is to Computer Programmer as Woman is to Homemaker?, section 6
        (equalize), with the whole embedding in place of one direction of it.
    """
    vocab = tokenizer.get_vocab()
    kinds = list_names().values()
    for name in chain(*kinds):
        vocab.setdefault(name, len(vocab))
    num_known = model.config.vocab_size
    model.resize_token_embeddings(len(vocab), mean_resizing=False)
    embeddings = model.bert.embeddings.word_embeddings.weight
    for names in kinds:
        ids = [vocab[name] for name in names]
        with torch.no_grad():
            embeddings[ids] = embeddings[[one for one in ids if one < num_known]].mean(dim=0)
    return build_tokenizer(vocab)


def _measure_ece(
    model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, examples: list[Example]
) -> float:
    logits = predict_logits(model, tokenizer, [example.text for example in examples])
    return expected_calibration_error(logits, _labels(examples))


def _labels(examples: list[Example]) -> torch.Tensor:
    return torch.tensor([example.label for example in examples])
