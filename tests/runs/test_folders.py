"""The folder of a run: whole, or not there."""

from pathlib import Path

import pytest
from safetensors import SafetensorError

from foundry.errors import ArtifactError
from foundry.runs.folders import (
    RUNS_DIR_VARIABLE,
    create_folder,
    replace_text,
    runs_dir,
    whole_or_nothing,
)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device"), ArtifactError),
        (SafetensorError("I/O error: No space left"), ArtifactError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_what_cannot_be_finished_is_not_left_waiting(tmp_path, error, told):
    folder = create_folder(tmp_path, {}, "alice")
    with pytest.raises(told), whole_or_nothing(folder):
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_text_that_cannot_be_written_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "status.json"
    replace_text(path, "old")

    def fail(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        replace_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_relative_folder_of_runs_is_one_place_for_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(RUNS_DIR_VARIABLE, "runs")
    assert runs_dir() == tmp_path / "runs"
