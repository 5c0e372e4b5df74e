"""Disks that are full, files that are not what they were, machines without memory."""

import json
import resource
import shutil
import subprocess

import pytest
import torch
from short_run import SHORT_RUN
from waiting import PATIENCE_S

from foundry.errors import ArtifactError
from foundry.models import load_model, load_pretrained
from foundry.models import loading as models
from foundry.models.loading import WEIGHTS_DIR
from foundry.models.shipped import SUMS_FILE
from foundry.runs.process import explain_failure
from foundry.runs.queue import _explain_exit
from foundry.speech import load_recogniser
from foundry.training.runs import create_run, read_run

SMALL_DISK_BYTES = 100_000


# ---- weights ----


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A copy of what ships, to be damaged."""
    folder = shutil.copytree(WEIGHTS_DIR, tmp_path / "weights")
    monkeypatch.setattr(models, "WEIGHTS_DIR", folder)
    return folder


def test_every_shipped_file_has_its_sum():
    sums = (WEIGHTS_DIR / SUMS_FILE).read_text()
    for file in WEIGHTS_DIR.glob("*/*.safetensors"):
        name = f"{file.parent.name}/{file.name}"
        assert name in sums, "run `sha256sum */*.safetensors > SHA256SUMS` in weights/"
    listed = subprocess.run(["sha256sum", "--check", "--status", SUMS_FILE], cwd=WEIGHTS_DIR)
    assert listed.returncode == 0


@pytest.mark.slow("loads every model")
@pytest.mark.parametrize("task", ["digits", "sentiment", "speech"])
@pytest.mark.parametrize("damage", ["truncated", "one bit", "another model's"])
def test_a_damaged_file_is_named_and_the_other_tabs_work(weights, task, damage):
    names = {"digits": "lenet", "sentiment": "bert-sentiment", "speech": "wav2vec2-commands"}
    file = weights / names[task] / "model.safetensors"
    content = bytearray(file.read_bytes())
    if damage == "truncated":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "one bit":
        content[-1] ^= 1
        file.write_bytes(content)
    else:
        shutil.copy(weights / "lenet-pruned" / "model.safetensors", file)
    loaders = {
        "digits": lambda: load_model("lenet"),
        "sentiment": lambda: load_pretrained("bert-sentiment", "sentiment"),
        "speech": lambda: load_recogniser("wav2vec2-commands"),
    }
    with pytest.raises(ArtifactError) as refused:
        loaders.pop(task)()
    assert str(file) in str(refused.value)
    assert "damaged" in str(refused.value)
    for load in loaders.values():
        assert load() is not None


# ---- disks and memory ----


@pytest.fixture
def small_disk(monkeypatch):
    """Workers cannot write more than a little into one file; empty the list to mend that."""
    real_popen, limits = subprocess.Popen, [SMALL_DISK_BYTES]

    def shrink():
        for limit in limits:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    def popen(command, **options):
        return real_popen(command, **options, preexec_fn=shrink)

    monkeypatch.setattr("foundry.runs.queue.subprocess.Popen", popen)
    return limits


@pytest.mark.slow("a real worker")
def test_a_full_disk_is_a_sentence_and_the_run_goes_on_when_there_is_room(queue, small_disk):
    run = queue.start(create_run, SHORT_RUN, "alice", "cpu")
    queue.wait(run.run_id, PATIENCE_S)
    failed = read_run(run.run_id)
    assert failed.status == "failed"
    assert "cannot be written" in failed.reason and "make room there" in failed.reason
    # Nothing half written is left to be taken for whole.
    assert not list(run.checkpoints_folder.glob("*"))
    assert not failed.has_weights

    small_disk.clear()
    queue.submit(failed)
    queue.wait(run.run_id, PATIENCE_S)
    assert read_run(run.run_id).status == "done"


def test_too_little_memory_is_a_sentence(runs_folder):
    run = create_run(SHORT_RUN, "alice", "cpu")
    with pytest.raises(RuntimeError) as refused:
        torch.empty(2**60, dtype=torch.uint8)
    for error in (refused.value, MemoryError()):
        assert "too little memory" in explain_failure(error, run.folder)
    assert explain_failure(KeyError("x"), run.folder) == "KeyError: 'x'"
    assert "out of memory" in _explain_exit(-9)
    assert "out of memory" not in _explain_exit(-15)


def test_a_clock_that_jumps_back_gives_new_runs_names_of_their_own(runs_folder, monkeypatch):
    first = create_run(SHORT_RUN, "alice", "cpu")
    monkeypatch.setattr("foundry.runs.folders.time.strftime", lambda _: "19700101-000000")
    second, third = (create_run(SHORT_RUN, "alice", "cpu") for _ in range(2))
    assert len({first.run_id, second.run_id, third.run_id}) == 3
    assert read_run(second.run_id).config == SHORT_RUN


def test_half_a_line_and_half_a_status_are_no_run(runs_folder):
    run = create_run(SHORT_RUN, "alice", "cpu")
    whole = json.dumps({"status": "running", "reason": ""})
    for length in range(len(whole)):
        (run.folder / "status.json").write_text(whole[:length])
        with pytest.raises(ValueError, match="no run"):
            read_run(run.run_id)
