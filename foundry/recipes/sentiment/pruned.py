"""Prune, teach, calibrate and write `weights/bert-sentiment-pruned`."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from statistics import mean

import torch
from safetensors.torch import load_file
from transformers import BertForSequenceClassification, PreTrainedTokenizerBase

from foundry.errors import ArtifactError
from foundry.recipes.pruning import count_flops, measure_speedup
from foundry.recipes.sentiment.candidates import measure_accuracy
from foundry.recipes.sentiment.cards.figures import CandidateFigures
from foundry.recipes.sentiment.cards.pruned import MAX_LOSS, Comparison, render_pruned_card
from foundry.recipes.sentiment.checkpoints import load_progress, load_weights
from foundry.recipes.sentiment.data.batches import predict_logits
from foundry.recipes.sentiment.data.corpus import LABELS, Corpus
from foundry.recipes.sentiment.distill import (
    PruneConfig,
    build_loss,
    choose_probes,
    collect_texts,
    prune,
)
from foundry.recipes.sentiment.finetune import BEST_FILE, FinetuneConfig, finetune
from foundry.recipes.sentiment.pretrained import load_tokenizer
from foundry.recipes.sentiment.shipping import ship
from foundry.recipes.sentiment.training import show_progress
from foundry.sentiment.pieces import label_names

CHECKPOINTS_DIR = ".checkpoints"
# Tokens of the texts that arithmetic and speed are measured on.
LENGTHS = (16, 64)
ENCODER = "bert.encoder"


def make_pruned(
    dense_dir: Path,
    data_dir: Path,
    corpus: Corpus,
    pruning: PruneConfig,
    teaching: FinetuneConfig,
    seeds: Sequence[int],
    out_dir: Path,
) -> None:
    """Make a smaller model of a fine-tuned one; an interrupted run goes on.

    Args:
        dense_dir: Folder of the fine-tuned model, which is the teacher.
        data_dir: Folder of the corpora.
        corpus: The sentences.
        pruning: What is taken out, and how the rest is taught.
        teaching: Knobs of the training.
        seeds: The training is done once with each; the best model, or average of some, is shipped.
        out_dir: Folder to write to.

    Raises:
        ArtifactError: If there is no fine-tuned model, or it has other labels.
    """
    if not (dense_dir / "config.json").is_file():
        raise ArtifactError(
            f"There is no fine-tuned model in {dense_dir}: --dense must name the folder of one."
        )
    dense = BertForSequenceClassification.from_pretrained(dense_dir).eval()
    if (found := label_names(dense)) != tuple(LABELS.values()):
        raise ArtifactError(
            f"The model in {dense_dir} has the labels {', '.join(found)}; one that is taught with "
            f"these corpora has {', '.join(LABELS.values())}."
        )
    tokenizer = load_tokenizer(dense_dir)
    untaught, kept = prune(dense, tokenizer, choose_probes(corpus.train), pruning)
    texts = collect_texts(corpus.train, data_dir, pruning)
    folders = {seed: out_dir / CHECKPOINTS_DIR / f"pruned-seed{seed}" for seed in seeds}
    for seed, folder in folders.items():
        student = copy.deepcopy(untaught)
        student.bert.embeddings.word_embeddings.requires_grad_(teaching.train_word_embeddings)
        loss = build_loss(student, dense, kept, pruning)
        config = replace(teaching, seed=seed)
        events = finetune(student, tokenizer, texts, corpus.val, config, folder, loss)
        show_progress(events, f"pruned, seed {seed}")

    candidates = []
    for size in range(1, len(seeds) + 1):
        for some in combinations(seeds, size):
            model = _average(untaught, [folders[seed] for seed in some])
            names = ", ".join(map(str, some))
            candidates.append(
                CandidateFigures(
                    name=f"seed {names}" if size == 1 else f"average of seeds {names}",
                    seeds=some,
                    sst2_dev_accuracy=measure_accuracy(model, tokenizer, corpus.sst2_dev),
                    reviews_dev_accuracy=measure_accuracy(model, tokenizer, corpus.reviews_dev),
                )
            )
    dense_accuracy = measure_accuracy(dense, tokenizer, corpus.sst2_dev)
    best = max(
        candidates,
        key=lambda c: (
            dense_accuracy - c.sst2_dev_accuracy <= MAX_LOSS,
            c.sst2_dev_accuracy * len(corpus.sst2_dev)
            + c.reviews_dev_accuracy * len(corpus.reviews_dev),
        ),
    )
    shipped = _average(untaught, [folders[seed] for seed in best.seeds])
    # The teacher's probabilities are calibrated, and they are what it was taught.
    final = ship(shipped, tokenizer, corpus, out_dir, is_taught=True)
    ends = [load_progress(folder) for folder in folders.values()]
    comparison = _compare(dense, dense_dir, untaught, out_dir, tokenizer, corpus)
    card = render_pruned_card(
        corpus=corpus,
        num_texts=len(texts),
        pruning=pruning,
        teaching=teaching,
        kept=kept,
        epochs=mean(end.epoch for end in ends),
        cpu_minutes=mean(end.cpu_s for end in ends) / 60,
        comparison=comparison,
        candidates=candidates,
        shipped=best,
        num_seeds=len(seeds),
        final=final,
    )
    (out_dir / "README.md").write_text(card, encoding="utf-8")
    print(f"{best.name}: SST-2 dev {final.sst2_dev_accuracy:.2%}, ", end="")
    print(f"reviews dev {final.reviews_dev_accuracy:.2%}, ECE {final.ece:.2%}; see {out_dir}")


def _average(
    untaught: BertForSequenceClassification, folders: Sequence[Path]
) -> BertForSequenceClassification:
    model = copy.deepcopy(untaught)
    states = [load_file(folder / BEST_FILE) for folder in folders]
    average = {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}
    load_weights({name: model.get_parameter(name) for name in average}, average)
    return model


def _compare(
    dense: BertForSequenceClassification,
    dense_dir: Path,
    untaught: BertForSequenceClassification,
    pruned_dir: Path,
    tokenizer: PreTrainedTokenizerBase,
    corpus: Corpus,
) -> Comparison:
    pruned = BertForSequenceClassification.from_pretrained(pruned_dir).eval()
    texts = [example.text for example in corpus.sst2_dev + corpus.reviews_dev]
    of_dense, of_pruned = (
        predict_logits(model, tokenizer, texts).argmax(dim=1) for model in (dense, pruned)
    )
    inputs = {
        length: torch.randint(
            0, dense.config.vocab_size, (1, length), generator=torch.Generator().manual_seed(0)
        )
        for length in LENGTHS
    }
    speedup = {length: measure_speedup(dense, pruned, ids) for length, ids in inputs.items()}
    for model in (dense, pruned):
        model.set_attn_implementation("eager")
    return Comparison(
        sst2_dev_accuracy=measure_accuracy(dense, tokenizer, corpus.sst2_dev),
        reviews_dev_accuracy=measure_accuracy(dense, tokenizer, corpus.reviews_dev),
        untaught_accuracy=measure_accuracy(untaught, tokenizer, corpus.sst2_dev),
        agreement=(of_dense == of_pruned).double().mean().item(),
        num_parameters=dense.num_parameters(),
        size_bytes=(dense_dir / "model.safetensors").stat().st_size,
        flops_saved={
            length: 1
            - count_flops(pruned, ids, part=ENCODER) / count_flops(dense, ids, part=ENCODER)
            for length, ids in inputs.items()
        },
        speedup=speedup,
    )
