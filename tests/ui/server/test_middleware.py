import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from foundry.ui.server.middleware import ImmutableAssets


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
