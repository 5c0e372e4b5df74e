"""Make `weights/lenet/` from nothing: `python -m foundry.recipes.lenet`, under two minutes."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import torch
from tqdm import tqdm

from foundry.data import load_mnist
from foundry.models import WEIGHTS_DIR, count_parameters, load_model, save_model, select_device
from foundry.train_config import TrainConfig
from foundry.training import Evaluation, TrainState, evaluate, train

CONFIG = TrainConfig(
    epochs=20, batch_size=256, learning_rate=9e-3, rotation_deg=10.0, shift_px=1.5, scale=0.1
)

_CARD = """---
license: cc-by-sa-3.0
library_name: pytorch
pipeline_tag: image-classification
datasets:
- ylecun/mnist
metrics:
- accuracy
---

# LeNet-5 on MNIST

A LeNet-5 ({parameters:,} parameters) that reads one handwritten digit from a 28x28 picture.

| split | images | accuracy |
|---|---|---|
| validation (chose the epoch) | {num_val:,} | {val_accuracy:.2%} |
| test (measured once, as stored) | {num_test:,} | **{test_accuracy:.2%}** |

Test cross-entropy: {test_loss:.4f} nats.

## How it was made

`python -m foundry.recipes.lenet`: {elapsed_s:.0f} s for {epochs} epochs on {num_threads} CPU
threads ({images_per_s:,.0f} images/s, {precision}, torch {torch_version}). Epoch {best_epoch} was
kept, the best on validation. Weights are stored as float16. Settings:

```json
{config}
```

## Data and licence

MNIST (Y. LeCun, C. Cortes, C. J. C. Burges), CC BY-SA 3.0: 55,000 of its training images to learn
from, the other 5,000 to choose on, its test split to report.

## Intended use and limits

For teaching and demonstration. It expects what MNIST's authors did to their scans: one digit,
bright on black, fitted into 20x20 pixels and centred by mass (`foundry.digits` does that). It has
no class for “not a digit” and will name one for any picture, and digits written in other
traditions than those of the writers of MNIST (a crossed 7, a 1 with a long upstroke) are read less
well.
"""


def _render_card(state: TrainState, val_accuracy: float, test: Evaluation) -> str:
    mnist = load_mnist()
    return _CARD.format(
        parameters=count_parameters(state.model),
        num_val=len(mnist.val),
        num_test=len(mnist.test),
        val_accuracy=val_accuracy,
        test_accuracy=test.accuracy,
        test_loss=test.loss,
        elapsed_s=state.elapsed_s,
        epochs=state.epoch,
        best_epoch=state.best_epoch,
        num_threads=torch.get_num_threads(),
        images_per_s=state.images_per_s,
        precision=str(state.precision).removeprefix("torch."),
        torch_version=torch.__version__,
        config=json.dumps(asdict(state.config), indent=2),
    )


def main() -> None:
    """Train, keep the epoch best on validation, store it, measure what was stored."""
    parser = argparse.ArgumentParser(prog="python -m foundry.recipes.lenet", description=__doc__)
    parser.add_argument("--out", type=Path, default=WEIGHTS_DIR / "lenet", help="folder to write")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    args = parser.parse_args()

    mnist = load_mnist()
    state = TrainState(CONFIG, select_device(args.device))
    with tqdm(total=state.num_steps, unit=" steps") as bar:
        for event in train(state, mnist):
            bar.update(event.step - bar.n)
            if event.val_accuracy is not None:
                bar.set_postfix(val_accuracy=f"{event.val_accuracy:.2%}")
    save_model(state.best_model(), args.out, dtype=torch.float16)
    stored = load_model(args.out.resolve())
    test = evaluate(stored, mnist.test)
    (args.out / "README.md").write_text(_render_card(state, state.best_val_accuracy, test))
    print(f"{test.accuracy:.2%} of the test split; wrote {args.out}")


if __name__ == "__main__":
    main()
