import os
import socket
import time
from types import SimpleNamespace

import pytest

from foundry.errors import InputError
from foundry.runs import cluster
from foundry.runs.cluster import HOW_TO_INSTALL, ray_session, require_ray


def test_without_ray_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(cluster, "is_ray_installed", lambda: False)
    with pytest.raises(InputError, match="Search needs Ray") as refused:
        require_ray("Search")
    assert HOW_TO_INSTALL in str(refused.value)


@pytest.mark.parametrize(
    "address",
    ["garbage", "ray://host:1", "host:", ":6379", "host:port", "http://host:1"],
)
def test_what_is_no_address_is_refused_with_a_sentence(address):
    with pytest.raises(InputError, match="HOST:PORT"), ray_session("Search", address):
        pass


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid", "h:9" * 50])
def test_an_address_that_nobody_answers_at_is_refused_within_seconds(host):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.monotonic()
    with (
        pytest.raises(InputError, match="No Ray cluster answers"),
        ray_session("Search", f"{host}:{port}"),
    ):
        pass
    # Ray itself waits for a quarter of an hour.
    assert time.monotonic() - started < 30


def failing_starts(monkeypatch, num_failures, session):
    """Let Ray fail so many times to start; gives the list of what was asked of it."""
    ray = pytest.importorskip("ray")
    asked = []

    def init(**options):
        asked.append(options["address"])
        if len(asked) <= num_failures:
            raise Exception("The current node timed out during startup.")
        return SimpleNamespace(address_info={"session_dir": str(session)})

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    monkeypatch.setattr(cluster, "_check_reachable", lambda address: None)
    return asked


def test_a_cluster_that_a_busy_machine_was_too_slow_to_start_is_started_again(
    monkeypatch, tmp_path
):
    asked = failing_starts(monkeypatch, 2, tmp_path)
    with ray_session("Search"):
        assert asked == ["local"] * 3


def test_what_ray_leaves_of_our_sessions_is_removed(monkeypatch, tmp_path):
    """Also of those that were killed, but nobody else's and none that may be at work."""
    names = (
        "now_1",
        "killed_99999999",
        "young_99999999",
        f"others_{os.getpid()}",
        "theirs_99999999",
    )
    now, killed, young, alive, theirs = (tmp_path / f"session_{name}" for name in names)
    past = time.time() - 3 * 24 * 3600
    for folder in (now, killed, young, alive, theirs):
        folder.mkdir()
        (folder / "log").touch()
    for folder in (killed, young, alive):
        (folder / cluster._MARK).touch()
    for folder in (killed, alive):
        os.utime(folder / cluster._MARK, (past, past))
    failing_starts(monkeypatch, 0, now)
    with ray_session("Search"):
        assert set(tmp_path.iterdir()) == {now, young, alive, theirs}
    assert set(tmp_path.iterdir()) == {young, alive, theirs}
    theirs.rename(now)
    with ray_session("Search", "10.0.0.1:6379"):
        pass
    assert now.exists()


def test_a_cluster_that_never_starts_is_given_up_with_a_sentence(monkeypatch, tmp_path):
    asked = failing_starts(monkeypatch, 99, tmp_path)
    with (
        pytest.raises(InputError, match=r"cannot be joined .* timed out during startup$"),
        ray_session("Search"),
    ):
        pass
    assert len(asked) == 3


def test_a_cluster_of_somebody_else_is_asked_once(monkeypatch, tmp_path):
    asked = failing_starts(monkeypatch, 1, tmp_path)
    with (
        pytest.raises(InputError, match="cannot be joined"),
        ray_session("Search", "10.0.0.1:6379"),
    ):
        pass
    assert asked == ["10.0.0.1:6379"]
