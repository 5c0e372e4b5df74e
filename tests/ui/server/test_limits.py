import socket
import time
from types import SimpleNamespace

import httpx
import pytest
from fake_hub import serve_fake_hub
from gradio.context import LocalContext
from waiting import PATIENCE_S

from foundry.errors import InputError
from foundry.ui import build_app, launch
from foundry.ui.server import limits
from foundry.ui.server.limits import RateLimit, count_download, read_accounts


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until a test moves it; the time of day goes backwards."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(limits.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(time, "time", lambda: -clock.now)
    return clock


def test_one_too_many_is_refused_with_the_time_to_wait(clock):
    limit = RateLimit(2, 600.0, "started 2 runs")
    limit.count("alice")
    clock.now += 240
    limit.count("alice")
    with pytest.raises(InputError, match=r"started 2 runs within 10 minutes.*again in 6 min"):
        limit.count("alice")
    limit.count("bob")
    clock.now += 361
    limit.count("alice")
    with pytest.raises(InputError):
        limit.count("alice")


def test_visitors_who_left_are_forgotten(clock, monkeypatch):
    monkeypatch.setattr(limits, "_MAX_KEYS", 10)
    limit = RateLimit(2, 60.0, "done it twice")
    for name in range(10):
        limit.count(f"visitor {name}")
    clock.now += 61
    limit.count("one more")
    assert list(limit._times) == ["one more"]


@pytest.mark.parametrize("visitor", [None, [], {"a": 1}, 3])
def test_what_is_no_name_is_counted_too(visitor):
    limit = RateLimit(1, 60.0, "done it")
    limit.count(visitor)
    with pytest.raises(InputError):
        limit.count(visitor)


def test_only_downloads_count_as_downloads(tmp_path, tiny_bert_dir, monkeypatch):
    monkeypatch.setattr(limits, "_DOWNLOADS", RateLimit(2, 3600.0, "had 2 models downloaded"))
    client = SimpleNamespace(host="192.0.2.1")
    request = LocalContext.request.set(SimpleNamespace(session_hash="alice", client=client))
    try:
        with serve_fake_hub(str(tmp_path / "cache")):
            for name in ("bert-sentiment", str(tiny_bert_dir), "not/a/model", "", None, 7) * 3:
                count_download(name, "sentiment")
            count_download("somebody/one", "sentiment")
            count_download("somebody/two", "sentiment")
            with pytest.raises(InputError, match="2 models downloaded within 60 minutes"):
                count_download("somebody/three", "sentiment")
            # A page loaded anew is no other visitor; somebody elsewhere is.
            LocalContext.request.set(SimpleNamespace(session_hash="anew", client=client))
            with pytest.raises(InputError):
                count_download("somebody/three", "sentiment")
            LocalContext.request.set(SimpleNamespace(client=SimpleNamespace(host="192.0.2.2")))
            count_download("somebody/three", "sentiment")
    finally:
        LocalContext.request.reset(request)


@pytest.mark.parametrize(
    ("text", "accounts"),
    [
        ("", None),
        ("ann:pass", [("ann", "pass")]),
        ("ann:a:b,bob:c", [("ann", "a:b"), ("bob", "c")]),
    ],
)
def test_accounts_are_read_from_the_environment(monkeypatch, text, accounts):
    monkeypatch.setenv("FOUNDRY_AUTH", text)
    assert read_accounts() == accounts


@pytest.mark.parametrize("text", ["ann", "ann:", ":pass", "ann:pass,", ","])
def test_a_login_that_would_let_anybody_in_is_refused(monkeypatch, text):
    monkeypatch.setenv("FOUNDRY_AUTH", text)
    with pytest.raises(InputError, match="user:password,user:password"):
        read_accounts()


def test_with_accounts_nothing_is_answered_before_the_login(runs_folder, monkeypatch):
    monkeypatch.setenv("FOUNDRY_AUTH", "ann:right")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = build_app("cpu")
    options = {"prevent_thread_lock": True, "quiet": True, "server_name": "127.0.0.1"}
    _, url, _ = launch(app, server_port=port, **options)
    try:
        with httpx.Client(base_url=url, timeout=PATIENCE_S) as http:
            for path in ("config", "gradio_api/info", "gradio_api/file=x"):
                assert http.get(path).status_code == 401
            call = {"data": ["Good.", "bert-sentiment", "dense"]}
            assert http.post("gradio_api/call/score_sentiment", json=call).status_code == 401
            wrong = http.post("login", data={"username": "ann", "password": "wrong"})
            assert wrong.status_code == 400
            right = http.post("login", data={"username": "ann", "password": "right"})
            assert right.is_success
            assert http.get("config").is_success
    finally:
        app.close()
