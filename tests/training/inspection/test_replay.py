import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from foundry.data import load_test_split, normalize
from foundry.models import load_model
from foundry.runs.folders import RUNS_DIR_VARIABLE
from foundry.training import TrainConfig
from foundry.training.inspection.replay import list_moments, read_at
from foundry.training.runs import read_run
from foundry.training.snapshots import list_snapshots, load_snapshot
from foundry.training.state import build_untrained

DIGITS = load_test_split().images[:5]


def read(model):
    with torch.inference_mode():
        return model(normalize(DIGITS)).softmax(1)


@pytest.fixture
def finished(finished_run, tmp_path, monkeypatch):
    """A copy of the finished run, in a folder of its own."""
    shutil.copytree(finished_run.folder, tmp_path / finished_run.run_id)
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(tmp_path))
    return read_run(finished_run.run_id)


def test_the_moments_of_a_run_are_its_snapshots(finished):
    moments, paths = list_moments(finished), list_snapshots(finished.snapshots_folder)
    assert [moment.path for moment in moments] == paths
    steps = [moment.step for moment in moments]
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (0, finished.events[-1].num_steps)
    for place in (0, len(paths) // 2, -1):
        expected = read(load_snapshot(paths[place], finished.config))
        torch.testing.assert_close(read_at(moments[place], DIGITS), expected)


def test_before_a_run_there_is_the_network_that_the_defaults_begin_with():
    (moment,) = list_moments(None)
    assert moment.step == 0
    expected = read(build_untrained(TrainConfig()))
    torch.testing.assert_close(read_at(moment, DIGITS), expected)


def test_of_a_run_without_snapshots_there_is_what_was_kept(finished):
    shutil.rmtree(finished.snapshots_folder)
    (moment,) = list_moments(finished)
    assert moment.step is None
    torch.testing.assert_close(read_at(moment, DIGITS), read(load_model(finished.best_folder)))


def test_weights_beyond_float16_read_nothing(finished):
    path = list_snapshots(finished.snapshots_folder)[-1]
    weights = load_file(path)
    weights["conv1.weight"][:] = 1e9
    save_file(weights, path)
    assert read_at(list_moments(finished)[-1], DIGITS).eq(0).all()
