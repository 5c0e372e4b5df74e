import os
import tempfile
import threading
import time

import pytest
from filelock import FileLock
from queues import build_queue, parents

from foundry.errors import InputError
from foundry.models.cache import CACHE_DIR_VARIABLE
from foundry.runs import cleaning
from foundry.runs.cleaning import (
    make_downloads_folder,
    remove_old_runs,
    remove_oldest_files,
    remove_run,
    remove_stray_downloads,
)
from foundry.runs.folders import runs_dir, write_status
from foundry.training import TrainConfig
from foundry.training.runs import create_run, list_runs

DAY_S = 24 * 3600.0


def make_runs(number, days_old=0.0, num_bytes=0):
    """Make finished runs, oldest first, and return their ids."""
    ids = []
    for place in range(number):
        run = create_run(TrainConfig(), "alice", "cpu")
        write_status(run.folder, "done")
        (run.folder / "weights").write_bytes(bytes(num_bytes))
        # Ids have the second in them; these are as many seconds apart.
        run_id = f"20200101-0000{place:02d}-{run.run_id[-8:]}"
        folder = run.folder.rename(runs_dir() / run_id)
        changed = time.time() - days_old * DAY_S
        os.utime(folder, (changed, changed))
        ids.append(run_id)
    return ids


def ids_left():
    return [run.run_id for run in reversed(list_runs())]


def test_what_is_too_old_goes_and_the_newest_stay(runs_folder):
    ids = make_runs(6, days_old=40)
    assert set(remove_old_runs(parents(), num_kept=2)) == set(ids[:4])
    assert ids_left() == ids[4:]
    assert sorted(path.name for path in runs_folder.iterdir()) == ids[4:]


def test_young_runs_stay(runs_folder):
    ids = make_runs(4, days_old=29)
    assert remove_old_runs(parents(), num_kept=0) == []
    assert ids_left() == ids


def test_the_oldest_go_while_all_are_too_large(runs_folder):
    ids = make_runs(5, num_bytes=1_000_000)
    assert remove_old_runs(parents(), max_bytes=3_500_000) == [ids[1], ids[0]]
    assert ids_left() == ids[2:]


def test_no_other_run_goes_for_one_that_cannot_go_or_is_too_large_by_itself(runs_folder):
    ids = make_runs(4, num_bytes=1_000_000)
    (runs_folder / ids[3] / "weights").write_bytes(bytes(5_000_000))
    with FileLock(runs_folder / ids[3] / "queue.lock"):
        assert remove_old_runs(parents(), max_bytes=3_500_000) == []
    assert ids_left() == ids
    assert remove_old_runs(parents(), max_bytes=3_500_000) == [ids[3]]
    assert ids_left() == ids[:3]


def test_what_was_half_removed_goes_and_strangers_stay(runs_folder):
    half, stranger = f"removed-{make_runs(1)[0]}-123", "removed-my-notes-123"
    for name in (half, stranger):
        (runs_folder / name).mkdir()
        (runs_folder / name / "weights").touch()
    remove_old_runs(parents())
    assert not (runs_folder / half).exists()
    assert (runs_folder / stranger / "weights").exists()


def test_a_run_that_is_looked_after_stays(runs_folder):
    ids = make_runs(2, days_old=40)
    with FileLock(runs_folder / ids[0] / "queue.lock"):
        assert remove_old_runs(parents(), num_kept=0) == [ids[1]]
    assert ids_left() == [ids[0]]


def test_a_run_that_has_just_ended_is_removed_once_its_worker_lets_go(runs_folder):
    (run_id,) = make_runs(1)
    lock = FileLock(runs_folder / run_id / "queue.lock", thread_local=False)
    lock.acquire()
    (run,) = list_runs()
    threading.Timer(0.3, lock.release).start()
    remove_run(run)
    assert ids_left() == []


def test_a_run_under_way_is_not_removed(runs_folder):
    (run_id,) = make_runs(1)
    write_status(runs_folder / run_id, "running")
    (run,) = list_runs()
    with FileLock(run.folder / "queue.lock"), pytest.raises(InputError, match="stop it first"):
        remove_run(run)
    assert ids_left() == [run_id]


@pytest.mark.parametrize("jump_days", [10_000, -10_000])
def test_a_clock_that_jumps_removes_nothing(runs_folder, monkeypatch, jump_days):
    ids = make_runs(8)
    now = time.time()
    monkeypatch.setattr(cleaning.time, "time", lambda: now + jump_days * DAY_S)
    remove_old_runs(parents(), num_kept=5)
    assert ids_left()[-5:] == ids[-5:]


def test_strangers_in_the_folder_are_left_alone(runs_folder):
    make_runs(1)
    (runs_folder / "my-own-notes").mkdir()
    os.utime(runs_folder / "my-own-notes", (0, 0))
    remove_old_runs(parents(), max_age_s=0, max_bytes=0, num_kept=0)
    assert [path.name for path in runs_folder.iterdir()] == ["my-own-notes"]


def test_no_runs_folder_is_nothing_to_clean(runs_folder):
    assert remove_old_runs(parents()) == []


def test_a_server_cleans_when_it_starts(runs_folder, monkeypatch):
    ids = make_runs(3, days_old=40)
    monkeypatch.setattr(cleaning, "NUM_KEPT", 0)
    monkeypatch.setattr(remove_old_runs, "__defaults__", (30 * DAY_S, 10**9, 1))
    build_queue()
    assert ids_left() == ids[2:]


def test_downloads_of_the_dead_go_and_those_of_the_living_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with make_downloads_folder() as mine:
        # No process has so high a number.
        dead, young = (
            tmp_path / f"foundry-downloads-99999999-{n}" for n in ("abcdefgh", "ijklmnop")
        )
        others = tmp_path / "foundry-downloads-of-mine"
        for folder in (dead, young, others):
            folder.mkdir()
        for folder in (dead, others, mine):
            os.utime(folder, (0, 0))
        remove_stray_downloads()
        assert not dead.exists()
        assert young.exists() and others.exists() and os.path.exists(mine)


def test_the_oldest_uploads_go_while_all_are_too_large(tmp_path):
    files = [tmp_path / name / "photo.png" for name in "abcd"]
    for hours_old, file in zip((4, 3, 2, 0), files, strict=True):
        file.parent.mkdir()
        file.write_bytes(bytes(1000))
        changed = time.time() - hours_old * 3600
        os.utime(file, (changed, changed))
    remove_oldest_files(tmp_path, max_bytes=4000)
    assert all(file.exists() for file in files)
    remove_oldest_files(tmp_path, max_bytes=2500)
    assert [file.exists() for file in files] == [False, False, True, True]
    # The newest is young: somebody works with it.
    remove_oldest_files(tmp_path, max_bytes=0)
    assert [file.exists() for file in files] == [False, False, False, True]


def test_the_oldest_variants_go_while_all_are_too_large(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_DIR_VARIABLE, str(tmp_path))
    monkeypatch.setattr(cleaning, "_MAX_VARIANTS_BYTES", 2500)
    for hours_old in range(1, 5):
        file = tmp_path / f"{hours_old}.zip"
        file.write_bytes(bytes(1000))
        changed = time.time() - hours_old * 3600
        os.utime(file, (changed, changed))
    cleaning.remove_old_variants()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1.zip", "2.zip"]


def test_no_folder_of_uploads_is_nothing_to_clean(tmp_path):
    remove_oldest_files(tmp_path / "none")


def test_what_goes_while_it_is_measured_counts_for_nothing(tmp_path, monkeypatch):
    """Two servers may tidy up one folder, and visitors leave meanwhile."""
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(bytes(1000))

    def walk(folder):
        found = list(os_walk(folder))
        (tmp_path / "a").unlink()
        return found

    os_walk = os.walk
    monkeypatch.setattr(os, "walk", walk)
    assert remove_oldest_files(tmp_path) == 1000
