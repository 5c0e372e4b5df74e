"""How the process of a search ends, with a stand-in for Tune; what starts Ray is in cluster/."""

import errno
import os
import threading

import pytest
from search_folder import SMALL, make_event

from foundry.errors import ArtifactError
from foundry.runs import cluster
from foundry.search import worker
from foundry.search.runs import STOP_FILE, create_search, read_search


class Heard:
    """Stands in for `Commands`."""

    last = None


class Left(BaseException):
    """Stands in for the end of the process."""


@pytest.fixture
def run(runs_folder, monkeypatch):
    monkeypatch.setattr(cluster, "is_ray_installed", lambda: True)
    monkeypatch.setattr(worker, "leave_room_for_the_server", lambda: None)
    monkeypatch.setattr(worker, "Commands", Heard)
    monkeypatch.setattr(Heard, "last", None)
    return create_search(SMALL, "alice")


def take(run, monkeypatch, commands, then=None):
    """Take a search of an event for each command, which is heard just before; count the events."""
    taken = []

    def search(*_):
        for command in commands:
            Heard.last = command
            taken.append(command)
            yield make_event("t1")
        if then:
            raise then

    monkeypatch.setattr(worker, "search", search)
    worker.main(run.run_id)
    return len(taken)


def test_a_search_that_is_told_nothing_is_done(run, monkeypatch):
    assert take(run, monkeypatch, [None, None]) == 2
    assert read_search(run.run_id).status == "done"


def test_a_stop_ends_it_at_the_next_event(run, monkeypatch):
    assert take(run, monkeypatch, [None, "stop", None]) == 2
    assert read_search(run.run_id).status == "stopped"


def test_the_end_of_input_is_no_stop(run, monkeypatch):
    monkeypatch.setattr(worker, "_obey", lambda *_: None)
    assert take(run, monkeypatch, ["interrupt", "interrupt"]) == 2
    assert read_search(run.run_id).status == "done"


def test_the_end_of_input_interrupts_it(run, monkeypatch):
    def leave():
        raise Left

    monkeypatch.setattr(worker, "leave_at_once", leave)
    commands = Heard()
    commands.last = "interrupt"
    with pytest.raises(Left):
        worker._obey(run, commands, threading.Lock())
    assert read_search(run.run_id).status == "interrupted"
    assert not (run.folder / STOP_FILE).exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ArtifactError("It is gone; bring it again."), "It is gone; bring it again"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "make room there first"),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_a_failure_is_a_sentence_that_the_page_ends(run, monkeypatch, error, said):
    with pytest.raises(type(error)):
        take(run, monkeypatch, [None], then=error)
    failed = read_search(run.run_id)
    assert failed.status == "failed"
    assert failed.reason.endswith(said)
