"""Taking a run home: weights, metrics, a TensorBoard log, and the Python that repeats it."""

import csv
import zipfile
from dataclasses import asdict, fields
from pathlib import Path

from foundry.models.checkpoints import CONFIG_FILE, WEIGHTS_FILE
from foundry.training.config import TrainConfig
from foundry.training.loop import TrainEvent
from foundry.training.runs import Run

_SCRIPT = '''"""Repeat run {run_id}; start it in Foundry's folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))  # wherever this file was saved

from foundry.models import save_model
from foundry.runs.data_sets import load_data
from foundry.training import TrainConfig, TrainState, train
from foundry.training.evaluation import evaluate

config = TrainConfig(
{settings}
)
data = load_data(config.dataset)
state = TrainState(config, device="{device}", classes=data.classes)
for event in train(state, data):
    if event.val_accuracy is not None:
        print(f"epoch {{event.epoch}}: validation accuracy {{event.val_accuracy:.4f}}")
model = state.best_model()
print(f"test accuracy {{evaluate(model, data.test).accuracy:.4f}}")
save_model(model, Path("{run_id}"))
'''


def write_weights(run: Run, folder: Path) -> Path:
    """Zip the kept weights with their configuration.

    Args:
        run: A run with weights.
        folder: Where to write.

    Returns:
        The new file, as do the functions below.
    """
    path = folder / f"{run.run_id}-weights.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (CONFIG_FILE, WEIGHTS_FILE):
            archive.write(run.best_folder / name, name)
    return path


def write_metrics(run: Run, folder: Path) -> Path:
    """Write every event of a run as a row of a CSV file."""
    path = folder / f"{run.run_id}-metrics.csv"
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(TrainEvent)])
        writer.writeheader()
        writer.writerows(asdict(event) for event in run.events)
    return path


def write_tensorboard(run: Run, folder: Path) -> Path:
    """Zip a TensorBoard log of a run; unzip it and point `tensorboard --logdir` at it."""
    # Imported when wanted: it takes a second, and most visitors never ask.
    from torch.utils.tensorboard import SummaryWriter

    log_dir = folder / run.run_id
    with SummaryWriter(str(log_dir)) as writer:
        for event in run.events:
            writer.add_scalar("loss/train", event.train_loss, event.step)
            writer.add_scalar("learning_rate", event.learning_rate, event.step)
            writer.add_scalar("images_per_s", event.images_per_s, event.step)
            if event.val_loss is not None and event.val_accuracy is not None:
                writer.add_scalar("loss/validation", event.val_loss, event.step)
                writer.add_scalar("accuracy/validation", event.val_accuracy, event.step)
    path = folder / f"{run.run_id}-tensorboard.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in log_dir.iterdir():
            archive.write(file, f"{run.run_id}/{file.name}")
    return path


def write_script(run: Run, folder: Path) -> Path:
    """Write the Python that gives a finished run's numbers again."""
    assert run.result is not None
    path = folder / f"{run.run_id}.py"
    path.write_text(equivalent_python(run.config, run.run_id, run.result["device"]))
    return path


def equivalent_python(config: TrainConfig, name: str, device: str) -> str:
    """Return the Python that trains with some settings.

    Args:
        config: The settings.
        name: Of the run, and of the folder to which its weights go.
        device: On which it was trained.
    """
    settings = "\n".join(
        f"    {field.name}={getattr(config, field.name)!r}," for field in fields(TrainConfig)
    )
    return _SCRIPT.format(run_id=name, settings=settings, device=device)
