import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from waiting import call_in_a_thread

from foundry.ui.server.middleware import CoalescedStreamEnd, ImmutableAssets


@pytest.mark.parametrize(
    ("root_path", "path", "is_kept"),
    [
        ("", "/assets/index-Bu-jdMIA.js", True),
        ("/foundry", "/foundry/assets/index-Bu-jdMIA.js", True),
        ("", "/gradio_api/file=/tmp/assets/a.wav", False),
        ("", "/gradio_api/run-history/records/train/1/assets/2", False),
        ("", "/", False),
    ],
)
def test_scripts_are_kept_and_nothing_of_a_visitors(root_path, path, is_kept):
    client = TestClient(ImmutableAssets(PlainTextResponse("")), root_path=root_path)
    assert ("immutable" in client.get(path).headers.get("cache-control", "")) == is_kept


def test_what_is_not_there_is_not_kept():
    client = TestClient(ImmutableAssets(PlainTextResponse("", 404)))
    assert "cache-control" not in client.get("/assets/nowhere.js").headers


def pieces_of(path, *bursts):
    """Return what reaches the network of a stream that waits between bursts of events."""
    sent = []

    async def stream(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for burst in bursts:
            for event in burst:
                await send({"type": "http.response.body", "body": event, "more_body": True})
            await asyncio.sleep(0.01)
            assert b"".join(sent).endswith(burst[-1]), "held back while the stream waits"
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def send(message):
        if message["type"] == "http.response.body":
            sent.append(message["body"])
            is_open.append(message["more_body"])

    is_open = []
    call_in_a_thread(
        asyncio.run, CoalescedStreamEnd(stream)({"type": "http", "path": path}, None, send)
    )
    assert is_open[-1] is False and all(is_open[:-1])
    return [piece for piece in sent if piece]


def test_an_event_and_the_end_that_follows_at_once_are_one_piece():
    bursts = [[b"started"], [b"generating"], [b"completed", b"close"]]
    path = "/gradio_api/queue/data"
    assert pieces_of(path, *bursts) == [b"started", b"generating", b"completedclose"]
    assert pieces_of("/other", *bursts) == [b"started", b"generating", b"completed", b"close"]
