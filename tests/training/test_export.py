import csv
import json
import re
import subprocess
import sys
import zipfile
from dataclasses import asdict, fields
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import foundry
from foundry.models import build_model, load_model, save_model
from foundry.training import TrainEvent
from foundry.training.export import write_metrics, write_script, write_tensorboard, write_weights

PROJECT = Path(foundry.__file__).parent.parent


def test_metrics_are_the_events_row_by_row(finished_run, tmp_path):
    path = write_metrics(finished_run, tmp_path)
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [field.name for field in fields(TrainEvent)]
    expected = [
        {name: "" if value is None else str(value) for name, value in asdict(event).items()}
        for event in finished_run.events
    ]
    assert rows == expected


def test_metrics_open_in_pandas_as_numbers(finished_run, tmp_path):
    import pandas as pd

    frame = pd.read_csv(write_metrics(finished_run, tmp_path))
    assert len(frame) == len(finished_run.events)
    # One validation an epoch.
    assert frame["val_accuracy"].notna().sum() == finished_run.config.epochs
    assert frame["train_loss"].dtype == float


def test_only_whole_files_are_zipped(tmp_path):
    run = SimpleNamespace(run_id="run", best_folder=tmp_path / "best")
    save_model(build_model("lenet"), run.best_folder)
    (run.best_folder / "model.safetensors.partial").write_bytes(b"half")
    with zipfile.ZipFile(write_weights(run, tmp_path)) as archive:
        assert archive.namelist() == ["config.json", "model.safetensors"]


def test_zipped_weights_load_as_a_model(finished_run, tmp_path):
    with zipfile.ZipFile(write_weights(finished_run, tmp_path)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == ["config.json", "model.safetensors"]
        archive.extractall(tmp_path / "unzipped")
    loaded = load_model(tmp_path / "unzipped")
    kept = load_model(finished_run.best_folder)
    for name, tensor in kept.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name
    assert json.loads((tmp_path / "unzipped" / "config.json").read_text()) == kept.config


def test_tensorboard_reads_its_log(finished_run, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with zipfile.ZipFile(write_tensorboard(finished_run, tmp_path)) as archive:
        archive.extractall(tmp_path / "unzipped")
    log = EventAccumulator(str(tmp_path / "unzipped" / finished_run.run_id)).Reload()
    assert set(log.Tags()["scalars"]) == {
        "loss/train",
        "loss/validation",
        "accuracy/validation",
        "learning_rate",
        "images_per_s",
    }
    losses = [(scalar.step, scalar.value) for scalar in log.Scalars("loss/train")]
    expected = [(event.step, event.train_loss) for event in finished_run.events]
    assert [step for step, _ in losses] == [step for step, _ in expected]
    # TensorBoard keeps float32.
    assert [value for _, value in losses] == pytest.approx([loss for _, loss in expected], rel=1e-6)
    validated = [e for e in finished_run.events if e.val_accuracy is not None]
    accuracies = [(s.step, s.value) for s in log.Scalars("accuracy/validation")]
    assert [step for step, _ in accuracies] == [event.step for event in validated]
    assert [v for _, v in accuracies] == pytest.approx([e.val_accuracy for e in validated])


def test_the_equivalent_python_gives_the_same_numbers(finished_run, tmp_path):
    path = write_script(finished_run, tmp_path)
    # It writes the model where it is started, so not in the project itself.
    ran = subprocess.run(
        [sys.executable, str(path)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(PROJECT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert ran.returncode == 0, ran.stderr
    epochs = re.findall(r"epoch (\d+): validation accuracy ([\d.]+)", ran.stdout)
    expected = [
        (str(event.epoch), f"{event.val_accuracy:.4f}")
        for event in finished_run.events
        if event.val_accuracy is not None
    ]
    assert epochs == expected
    assert f"test accuracy {finished_run.result['test_accuracy']:.4f}" in ran.stdout
    repeated = load_model(tmp_path / finished_run.run_id)
    kept = load_model(finished_run.best_folder)
    for name, tensor in kept.state_dict().items():
        assert torch.equal(repeated.state_dict()[name], tensor), name


@pytest.mark.slow("starts a process")
def test_the_equivalent_python_finds_foundry_when_started_in_its_folder(finished_run, tmp_path):
    # As its first line tells a visitor to: `python DOWNLOADS/script.py` in the project's folder.
    path = write_script(finished_run, tmp_path)
    only_imports = path.read_text().split("config = TrainConfig(")[0]
    assert "Foundry's folder" in only_imports
    path.write_text(only_imports + 'print("imported")')
    ran = subprocess.run(
        [sys.executable, str(path)], cwd=PROJECT, capture_output=True, text=True, timeout=150
    )
    assert ran.stdout.strip() == "imported", ran.stderr


def test_the_equivalent_python_spells_out_every_setting(finished_run, tmp_path):
    script = write_script(finished_run, tmp_path).read_text()
    for name, value in asdict(finished_run.config).items():
        assert f"{name}={value!r}" in script
