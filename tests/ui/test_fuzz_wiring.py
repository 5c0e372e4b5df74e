"""Every named endpoint is given anything at all: it answers, or refuses with a sentence."""

import json

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import PATIENCE_S

ENDPOINTS = (
    "train",
    "add_dataset",
    "stop_run",
    "list_runs",
    "classify_digit",
    "explain_digit",
    "replay",
    "attack_digit",
    "read_digits",
    "classify_image",
    "score_sentiment",
    "score_sentiment_batch",
    "explain_sentiment",
    "transcribe",
    "transcribe_channels",
    "compress",
    "search",
)
# Where among its values.
TAKE_FILES = {
    "add_dataset": 0,
    "classify_digit": 0,
    "explain_digit": 0,
    "replay": 1,
    "attack_digit": 0,
    "read_digits": 0,
    "classify_image": 0,
    "score_sentiment_batch": 0,
    "transcribe": 0,
    "transcribe_channels": 0,
}
NAMES = (
    "",
    "lenet",
    "efficientnet-lite0",
    "bert-sentiment",
    "wav2vec2-commands",
    "dense",
    "../../etc/passwd",
)
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "\ud800",
    "{{7*7}}",
    "%s",
    "a\x00b",
)
TEXTS = st.text(max_size=50) | st.sampled_from((*NAMES, *HOSTILE))
NUMBERS = st.integers() | st.floats(allow_nan=False) | st.sampled_from([2**63, -(2**63), 1e308, 0])
FILES = st.fixed_dictionaries(
    {"path": TEXTS, "meta": st.just({"_type": "gradio.FileData"})},
    optional={"url": TEXTS, "size": NUMBERS, "orig_name": TEXTS, "mime_type": TEXTS},
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | FILES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def http(app_url):
    with httpx.Client(base_url=f"{app_url}gradio_api", timeout=PATIENCE_S) as http:
        yield http


def call(http, endpoint, values):
    """Return the last event of a call and what came with it."""
    body = json.dumps({"data": values})
    headers = {"Content-Type": "application/json"}
    joined = http.post(f"/call/{endpoint}", content=body, headers=headers)
    assert joined.status_code == 200, joined.text
    event_id = joined.json()["event_id"]
    answer = http.get(f"/call/{endpoint}/{event_id}").text
    event, _, data = answer.strip().rpartition("event: ")[2].partition("\ndata: ")
    return event, data


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_anything_gets_an_answer_or_a_sentence(http, endpoint):
    # A run of /train would start only if all of them were right, which chance does not bring.
    described = http.get("/info").json()["named_endpoints"][f"/{endpoint}"]
    num_values = len(described["parameters"])

    @settings(max_examples=30)
    @given(st.lists(VALUES, min_size=num_values, max_size=num_values))
    def check(values):
        event, data = call(http, endpoint, values)
        assert "Traceback" not in data and ".py" not in data, data
        assert event in ("complete", "error"), (event, data)
        # What is no file is refused by Gradio before it comes to us, with null for a sentence.
        is_odd_file = endpoint in TAKE_FILES and values[TAKE_FILES[endpoint]] is not None
        if event == "error" and not is_odd_file and "gradio.FileData" not in repr(values):
            assert json.loads(data)["error"], (values, data)

    check()
    assert http.get("/info").status_code == 200
