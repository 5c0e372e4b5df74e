"""Prune, teach, calibrate and write `weights/bert-sentiment-pruned`."""

from pathlib import Path

import torch
from tqdm import tqdm
from transformers import AutoTokenizer, BertForSequenceClassification, PreTrainedTokenizerBase

from foundry.errors import ArtifactError
from foundry.recipes.pruning import count_flops, measure_speedup
from foundry.recipes.sentiment.batches import predict_logits
from foundry.recipes.sentiment.candidates import measure_accuracy
from foundry.recipes.sentiment.checkpoints import load_progress
from foundry.recipes.sentiment.corpus import Corpus
from foundry.recipes.sentiment.distill import (
    PruneConfig,
    build_loss,
    choose_probes,
    collect_texts,
    prune,
)
from foundry.recipes.sentiment.finetune import FinetuneConfig, finetune
from foundry.recipes.sentiment.pruned_card import Comparison, render_pruned_card
from foundry.recipes.sentiment.shipping import ship

CHECKPOINT_DIR = Path(".checkpoints/pruned")
# Tokens of the texts that arithmetic and speed are measured on.
LENGTHS = (16, 64)
ENCODER = "bert.encoder"


def make_pruned(
    dense_dir: Path,
    data_dir: Path,
    corpus: Corpus,
    pruning: PruneConfig,
    teaching: FinetuneConfig,
    out_dir: Path,
) -> None:
    """Make a smaller model of a fine-tuned one; an interrupted run goes on.

    Args:
        dense_dir: Folder of the fine-tuned model, which is the teacher.
        data_dir: Folder of the corpora.
        corpus: The sentences.
        pruning: What is taken out, and how the rest is taught.
        teaching: Knobs of the training.
        out_dir: Folder to write to.

    Raises:
        ArtifactError: If there is no fine-tuned model.
    """
    if not (dense_dir / "config.json").is_file():
        raise ArtifactError(
            f"There is no fine-tuned model in {dense_dir}: --dense must name the folder of one."
        )
    dense = BertForSequenceClassification.from_pretrained(dense_dir).eval()
    tokenizer = AutoTokenizer.from_pretrained(dense_dir)
    student, kept = prune(dense, tokenizer, choose_probes(corpus.train, teaching.seed), pruning)
    untaught_accuracy = measure_accuracy(student, tokenizer, corpus.sst2_dev)
    student.bert.embeddings.word_embeddings.requires_grad_(teaching.train_word_embeddings)
    texts = collect_texts(corpus.train, data_dir, pruning, teaching.seed)
    loss = build_loss(student, dense, kept, pruning)
    folder = out_dir / CHECKPOINT_DIR
    with tqdm(desc=f"pruned, seed {teaching.seed}", unit="step") as bar:
        for event in finetune(student, tokenizer, texts, corpus.val, teaching, folder, loss):
            bar.total = event.num_steps
            bar.update(event.step - bar.n)
            if event.val_loss is not None:
                bar.set_postfix(val_loss=f"{event.val_loss:.3f}", epoch=event.epoch)

    final = ship(student, tokenizer, corpus, out_dir)
    card = render_pruned_card(
        corpus=corpus,
        num_texts=len(texts),
        pruning=pruning,
        teaching=teaching,
        kept=kept,
        cpu_minutes=load_progress(folder).cpu_s / 60,
        comparison=_compare(dense, dense_dir, out_dir, tokenizer, corpus, untaught_accuracy),
        final=final,
    )
    (out_dir / "README.md").write_text(card, encoding="utf-8")
    print(f"SST-2 dev {final.sst2_dev_accuracy:.2%}, ", end="")
    print(f"reviews dev {final.reviews_dev_accuracy:.2%}, ECE {final.ece:.2%}; see {out_dir}")


def _compare(
    dense: BertForSequenceClassification,
    dense_dir: Path,
    pruned_dir: Path,
    tokenizer: PreTrainedTokenizerBase,
    corpus: Corpus,
    untaught_accuracy: float,
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
        untaught_accuracy=untaught_accuracy,
        agreement=(of_dense == of_pruned).double().mean().item(),
        num_parameters=dense.num_parameters(),
        size_bytes=(dense_dir / "model.safetensors").stat().st_size,
        flops_saved={
            length: 1 - count_flops(pruned, ids, ENCODER) / count_flops(dense, ids, ENCODER)
            for length, ids in inputs.items()
        },
        speedup=speedup,
    )
