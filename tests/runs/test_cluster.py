import socket
import time

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


def failing_starts(monkeypatch, num_failures):
    """Let Ray fail so many times to start; gives the list of what was asked of it."""
    ray = pytest.importorskip("ray")
    asked = []

    def init(**options):
        asked.append(options["address"])
        if len(asked) <= num_failures:
            raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    monkeypatch.setattr(cluster, "_check_reachable", lambda address: None)
    return asked


def test_a_cluster_that_a_busy_machine_was_too_slow_to_start_is_started_again(monkeypatch):
    asked = failing_starts(monkeypatch, num_failures=2)
    with ray_session("Search"):
        assert asked == ["local"] * 3


def test_a_cluster_that_never_starts_is_given_up_with_a_sentence(monkeypatch):
    asked = failing_starts(monkeypatch, num_failures=99)
    with (
        pytest.raises(InputError, match=r"cannot be joined .* timed out during startup$"),
        ray_session("Search"),
    ):
        pass
    assert len(asked) == 3


def test_a_cluster_of_somebody_else_is_asked_once(monkeypatch):
    asked = failing_starts(monkeypatch, num_failures=1)
    with (
        pytest.raises(InputError, match="cannot be joined"),
        ray_session("Search", "10.0.0.1:6379"),
    ):
        pass
    assert asked == ["10.0.0.1:6379"]
