"""A network that learned what a visitor brought is compressed on the same, with its classes."""

import json
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from shades import CLASSES, make_shades

from foundry.compression.config import CompressConfig
from foundry.compression.export import FORMATS, load_exportable, write_archive
from foundry.compression.recovery import RECOVERY, plan_recovery
from foundry.compression.runs import create_compression, read_compression
from foundry.compression.state import CompressState
from foundry.compression.steps import compress
from foundry.compression.worker import _give_pruned, _record
from foundry.data import normalize
from foundry.errors import InputError
from foundry.models import VARIANTS, build_model, load_model, save_model
from foundry.runs.data_sets import calibrate_on, keep_data_set, load_data, remove_data_set
from foundry.runs.folders import RUN_FILE
from foundry.training import TrainConfig, TrainState, train
from foundry.training.inspection.measures import measure_classes
from foundry.training.runs import create_run, read_run


@pytest.fixture(scope="module")
def compressed(tmp_path_factory):
    """A run on three shades, and its compression, taken to its end in this process."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("shades")
        patch.setenv("FOUNDRY_RUNS_DIR", str(folder / "runs"))
        patch.setenv("FOUNDRY_CACHE_DIR", str(folder / "cache"))
        patch.setattr("foundry.compression.measurement.measure._BUDGET_S", 0.2)
        # A process for each variant, which what they learned does not change.
        patch.setattr("foundry.compression.measurement.measure.peak_memory", lambda *_: None)
        about = keep_data_set(make_shades(), "shades.zip", "alice")
        config = TrainConfig(dataset=about.data_id, batch_size=16, epochs=3, learning_rate=0.003)
        run = create_run(config, "alice", "cpu")
        state = TrainState(run.config, classes=run.classes)
        for _ in train(state, load_data(about.data_id)):
            pass
        save_model(state.best_model(), run.best_folder)
        made = create_compression(CompressConfig(run.run_id, 0.4, recovery_epochs=8), "alice")
        source = read_run(run.run_id).best_folder
        compressing = CompressState(made.config, source, made.variants_folder, made.dataset)
        for _ in compress(compressing):
            pass
        _record(made, compressing)
        yield read_compression(made.run_id)


@pytest.mark.slow("a whole compression")
def test_its_rows_are_what_its_own_test_split_says(compressed):
    data, report = load_data(compressed.dataset), compressed.result
    assert tuple(report["classes"]) == compressed.classes == CLASSES
    assert report["samples"] == f"all {len(data.test)} test images"
    for row in report["rows"]:
        probs = compressed.test_probs[row["variant"]]
        assert probs.shape == (len(data.test), 3)
        answers, labels = probs.argmax(1).numpy(), data.test.labels.numpy()
        measures = measure_classes(labels, answers, 3)
        assert row["quality"] == pytest.approx((answers == labels).mean())
        assert row["balanced_quality"] == pytest.approx(measures.balanced_accuracy)
    # Anything can tell them apart, also what lost half of its channels.
    assert report["row"]["variant"] == "pruned-int8"
    assert report["row"]["quality"] > 0.9
    # There are fewer to train on than a batch of digits has.
    assert report["row"]["batch_size"] == len(data.train) == 120


@pytest.mark.slow("a whole compression")
def test_what_is_pruned_keeps_the_classes_and_their_number(compressed):
    pruned = load_model(compressed.variants_folder / "dense-pruned")
    assert pruned.classes == CLASSES
    assert pruned.last.out_features == 3
    assert "its 3 outputs are the classes" in json.dumps(compressed.result["changes"])


@pytest.mark.slow("a whole compression")
def test_what_is_pruned_becomes_a_variant_of_the_run(compressed):
    source = read_run(compressed.config.model)
    beside = load_model(source.best_folder, variant=VARIANTS["pruned"])
    made = load_model(compressed.variants_folder / "dense-pruned")
    assert torch.equal(beside.fc1.weight, made.fc1.weight)
    # Of a run that went on since, the weights are others.
    shutil.rmtree(source.pruned_folder)
    _give_pruned(compressed)
    assert source.pruned_folder.exists()
    save_model(build_model("lenet", classes=CLASSES), source.best_folder)
    shutil.rmtree(source.pruned_folder)
    _give_pruned(compressed)
    assert not source.pruned_folder.exists()
    # And one that was deleted meanwhile is no reason for the compression to fail.
    moved = source.folder.rename(source.folder.with_name("elsewhere"))
    _give_pruned(compressed)
    moved.rename(source.folder)


@pytest.mark.slow("a whole compression")
@pytest.mark.parametrize("file_format", FORMATS)
def test_what_is_taken_home_says_the_classes_and_answers_as_here(compressed, file_format, tmp_path):
    variant = VARIANTS["pruned" if file_format == "safetensors" else "pruned-int8"]
    own = load_exportable(
        compressed.variants_folder / "dense", "digits", variant, calibrate_on(compressed.dataset)
    )
    data = load_data(compressed.dataset)
    assert len(own.samples) == len(data.train)
    assert torch.equal(own.samples[0][0], normalize(data.train.images[:1]))
    with zipfile.ZipFile(write_archive(own, file_format, tmp_path)) as archive:
        archive.extractall(tmp_path)
    assert tuple(json.loads((tmp_path / "classes.json").read_text("utf-8"))["labels"]) == CLASSES
    assert np.load(tmp_path / "example.npz")["logits"].shape == (1, 3)
    # In a process of its own, as it is at home: it sets what holds for a whole process.
    command = [sys.executable, "-I", "load.py"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    difference = float(ran.stdout.rsplit(":", 1)[1])
    # ONNX is quantized anew, by another engine.
    assert difference < (2.0 if file_format == "onnx" else 1e-3)


@pytest.mark.parametrize(
    ("num_images", "batch_size", "learning_rate"),
    [
        (120, 16, RECOVERY.learning_rate / 2),
        (500, 31, RECOVERY.learning_rate / 2),
        (5_000, 64, RECOVERY.learning_rate / 2),
        (50_000, 256, RECOVERY.learning_rate),
    ],
)
def test_few_images_recover_in_small_batches(num_images, batch_size, learning_rate):
    planned = plan_recovery(5, "0" * 24, num_images)
    assert (planned.epochs, planned.num_train_images) == (5, num_images)
    assert (planned.batch_size, planned.learning_rate) == (batch_size, learning_rate)


@pytest.fixture
def run(runs_folder):
    about = keep_data_set(make_shades(), "shades.zip", "alice")
    run = create_run(TrainConfig(dataset=about.data_id), "alice")
    save_model(build_model("lenet", classes=CLASSES), run.best_folder)
    return run


def test_data_that_was_removed_since_is_a_sentence(run):
    create_compression(CompressConfig(run.run_id), "alice")
    remove_data_set(run.config.dataset, "alice")
    with pytest.raises(InputError, match=r"was removed since.*bring its file again"):
        create_compression(CompressConfig(run.run_id), "alice")


def test_a_compression_of_an_earlier_version_is_one_of_digits(runs_folder):
    made = create_compression(CompressConfig(), "alice")
    assert "classes" not in json.loads((made.folder / RUN_FILE).read_text())
    assert (made.classes, made.dataset) == (tuple("0123456789"), "mnist")


def test_signs_of_a_hand_are_in_no_data_set(runs_folder):
    hand = create_run(TrainConfig(), "alice")
    made = json.loads((hand.folder / RUN_FILE).read_text())
    made["classes"] = [*"0123456789", "ring"]
    (hand.folder / RUN_FILE).write_text(json.dumps(made))
    with pytest.raises(InputError, match="signs of your hand"):
        create_compression(CompressConfig(hand.run_id), "alice")
