import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from waiting import PATIENCE_S, call_at_once, wait_until

from foundry.models import build_model
from foundry.models import cache as variant_cache
from foundry.models.cache import CACHE_DIR_VARIABLE, cache_dir, load_or_build, pack, unpack
from foundry.models.quantization import Signature, convert
from foundry.models.runtime import OpenVinoPredictor

KEY = {"weights": "abc", "variant": "int8", "openvino": "1"}
SIGNATURE = Signature(("images",), ((-1, 1, 28, 28),), is_transformer=False, kept={})
IMAGES = torch.linspace(-1, 1, 28 * 28).view(1, 1, 28, 28)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_DIR_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


class Builder:
    """Builds a small model, the same one every time for a seed, and counts how often it did."""

    def __init__(self, seed=0):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.network = build_model("lenet", channels=(2, 2), hidden_dims=(4, 4)).eval()
        self.count = 0

    def __call__(self):
        self.count += 1
        return convert(self.network, SIGNATURE, (IMAGES,))

    def is_right(self, model):
        with torch.inference_mode():
            expected = self.network(IMAGES)
        return torch.allclose(OpenVinoPredictor(model)(IMAGES), expected, atol=1e-5)


@pytest.fixture(scope="module")
def build():
    return Builder()


@pytest.fixture
def counted(build):
    build.count = 0
    return build


def files(folder):
    (packed,) = folder.glob("*.zip")
    return packed, packed.with_suffix(".json")


def test_a_model_is_built_once_and_read_afterwards(counted, folder):
    assert counted.is_right(load_or_build(KEY, counted))
    assert counted.is_right(load_or_build(dict(reversed(KEY.items())), counted))
    assert counted.count == 1
    assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".lock", ".zip"]


@pytest.mark.parametrize("changed", KEY)
def test_whatever_the_model_depends_on_changes_it_is_built_anew(counted, changed):
    load_or_build(KEY, counted)
    load_or_build(KEY | {changed: "other"}, counted)
    assert counted.count == 2


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"garbage",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: (
            content[: len(content) // 2]
            + bytes([content[len(content) // 2] ^ 64])
            + content[len(content) // 2 + 1 :]
        ),
    ],
    ids=["empty", "garbage", "half", "last bit", "one bit"],
)
def test_a_damaged_file_is_rebuilt(counted, folder, which, damage):
    load_or_build(KEY, counted)
    path = files(folder)[which]
    path.write_bytes(damage(path.read_bytes()))
    assert counted.is_right(load_or_build(KEY, counted))
    assert counted.count == 2
    assert counted.is_right(load_or_build(KEY, counted))
    assert counted.count == 2


@pytest.mark.parametrize("which", [0, 1])
def test_a_missing_file_is_rebuilt(counted, folder, which):
    load_or_build(KEY, counted)
    files(folder)[which].unlink()
    assert counted.is_right(load_or_build(KEY, counted))
    assert counted.count == 2


@pytest.mark.parametrize(
    "manifest", ["null", "[]", "{}", '{"key": {}, "sha256": "0"}', '{"sha256": 1, "key": 1}']
)
def test_a_manifest_that_makes_no_sense_is_not_believed(counted, folder, manifest):
    load_or_build(KEY, counted)
    files(folder)[1].write_text(manifest)
    assert counted.is_right(load_or_build(KEY, counted))
    assert counted.count == 2


def test_a_whole_model_under_another_models_name_is_not_believed(counted, folder):
    """The wrong file with the right hash: what it was made from is written beside it."""
    load_or_build(KEY, counted)
    packed, manifest = files(folder)
    other = Builder(seed=1)
    content = pack(other())
    packed.write_bytes(content)
    told = json.loads(manifest.read_text())
    # Its hash alone does not make it ours ...
    manifest.write_text(json.dumps(told | {"key": KEY | {"weights": "other"}}))
    assert counted.is_right(load_or_build(KEY, counted))
    # ... nor the name alone.
    packed.write_bytes(content)
    assert counted.is_right(load_or_build(KEY, counted))


def test_threads_that_ask_at_once_get_it_built_once(counted):
    models = call_at_once(*[lambda: load_or_build(KEY, counted)] * 4)
    assert counted.count == 1
    assert all(counted.is_right(model) for model in models)


_PROGRAM = """
import sys, time
from pathlib import Path
sys.path[:0] = {folders!r}
from test_cache import KEY, Builder
from foundry.models.cache import load_or_build

build, mine = Builder(), Path({folder!r}) / sys.argv[1]
class Slow:
    def __call__(self):
        mine.with_suffix(".building").touch()
        # Until the other process has asked as well.
        while not Path({folder!r}, "both").exists():
            time.sleep(0.01)
        return build()
mine.with_suffix(".asking").touch()
model = load_or_build(KEY, Slow())
assert build.is_right(model)
print(build.count)
"""


@pytest.mark.slow("two processes")
def test_processes_that_ask_at_once_get_it_built_once(tmp_path):
    program = _PROGRAM.format(
        folders=[str(Path(__file__).parent), str(Path(__file__).parents[1])], folder=str(tmp_path)
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, name],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for name in ("one", "two")
    ]
    try:
        wait_until(lambda: len(list(tmp_path.glob("*.asking"))) == 2, "both processes to ask")
        wait_until(lambda: list(tmp_path.glob("*.building")), "one of them to build")
        (tmp_path / "both").touch()
        counts = [int(process.communicate(timeout=PATIENCE_S)[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert sorted(counts) == [0, 1]


def test_a_folder_that_cannot_be_made_costs_only_the_cache(counted, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(CACHE_DIR_VARIABLE, str(tmp_path / "file" / "cache"))
    assert counted.is_right(load_or_build(KEY, counted))
    assert counted.is_right(load_or_build(KEY, counted))
    assert counted.count == 2


def test_a_read_only_folder_costs_only_the_cache(counted, folder, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "read-only")

    # Permissions do not bind the administrator, whom containers run as.
    monkeypatch.setattr(variant_cache.FileLock, "acquire", refuse)
    assert counted.is_right(load_or_build(KEY, counted))
    assert not list(folder.glob("*.zip"))


def test_what_is_in_a_read_only_folder_is_used(counted, folder, monkeypatch):
    load_or_build(KEY, counted)

    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "read-only")

    monkeypatch.setattr(variant_cache.FileLock, "acquire", refuse)
    assert counted.is_right(load_or_build(KEY, counted))
    assert counted.count == 1


@pytest.mark.parametrize("half", [True, False], ids=["half written", "nothing written"])
def test_a_full_disk_costs_only_the_cache(counted, folder, monkeypatch, half):
    def fail(path, content):
        if half:
            with open(path, "wb") as file:
                file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fail)
        assert counted.is_right(load_or_build(KEY, counted))
    assert not [file for file in folder.iterdir() if file.suffix != ".lock"]
    assert counted.is_right(load_or_build(KEY, counted))
    assert counted.count == 2
    load_or_build(KEY, counted)
    assert counted.count == 2


def test_a_build_that_fails_leaves_nothing_behind(counted, folder):
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        load_or_build(KEY, fail)
    assert counted.is_right(load_or_build(KEY, counted))


def test_packing_is_exact_and_repeatable(counted):
    packed = pack(counted())
    assert counted.is_right(unpack(packed))
    assert pack(unpack(packed)) == pack(unpack(packed))
    for garbage in (b"", b"PK", packed[:200]):
        with pytest.raises(ValueError, match="not a packed model"):
            unpack(garbage)


def test_the_cache_is_the_users_unless_named(monkeypatch, folder):
    assert cache_dir() == folder
    monkeypatch.delenv(CACHE_DIR_VARIABLE)
    assert "foundry" in str(cache_dir())
    assert os.path.isabs(cache_dir())
