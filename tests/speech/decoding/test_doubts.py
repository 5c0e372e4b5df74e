import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundry.errors import ArtifactError
from foundry.speech.decoding.doubts import (
    DOUBTS_FILE,
    PLAIN,
    Doubts,
    Unit,
    load_doubts,
    write_doubts,
)
from foundry.speech.decoding.evidence import (
    BESIDE,
    EVIDENCE,
    Frames,
    add_context,
    measure_evidence,
)
from foundry.speech.words import UNKNOWN_WORD, Alphabet, Span, read_path

ALPHABET = Alphabet(("_", "|", "a", "b", "c"), 0, "|")


def spans_at(*firsts, confidence=0.9):
    return [Span("ab", first, first + 5, confidence) for first in firsts]


def evidence(*unsure):
    rows = np.zeros((len(unsure), len(EVIDENCE)))
    rows[:, EVIDENCE.index("unsure")] = unsure
    return rows


def frames_of(path, free, share):
    """Frames in which the path's symbol has a share, and another one the rest."""
    probs = np.full((len(path), 5), 1e-6)
    for number, (own, other) in enumerate(zip(path, free, strict=True)):
        probs[number, other] = 1 - share
        probs[number, own] = share if own != other else 1.0
    labels = np.array(path)
    log_probs = np.log(probs / probs.sum(1, keepdims=True)).astype(np.float32)
    return labels, Frames.along(log_probs, labels)


def test_nothing_speaks_against_what_the_model_would_have_said_anyway():
    labels, frames = frames_of([0, 2, 0, 3, 0], [0, 2, 0, 3, 0], 1.0)
    spans = read_path(labels, np.exp(frames.path), ALPHABET)
    (row,) = measure_evidence(spans, frames, ALPHABET)
    expected = {name: 0.0 for name in EVIDENCE} | {"short": 0.5}
    assert dict(zip(EVIDENCE, row, strict=True)) == pytest.approx(expected, abs=1e-3)


def test_another_path_speaks_against_a_word_by_as_much_as_it_is_more_probable():
    # “ab” where the model would have said “cb”: one frame with 0.2 for 0.8.
    labels, frames = frames_of([0, 2, 0, 3, 0], [0, 4, 0, 3, 0], 0.2)
    spans = read_path(labels, np.exp(frames.path), ALPHABET)
    row = dict(zip(EVIDENCE, measure_evidence(spans, frames, ALPHABET)[0], strict=True))
    assert row["other_path"] == pytest.approx(math.log1p(math.log(4)), abs=1e-3)
    assert row["other_letters"] == 0.5
    assert row["unsure"] == pytest.approx(-math.log(0.2) / 2, abs=1e-3)


def test_words_beside_a_word_speak_against_it_unless_they_are_far_away():
    spans, rows = spans_at(0, 20, 500), evidence(0.0, 4.0, 1.0)
    beside = add_context(spans, rows)[:, len(EVIDENCE) + BESIDE.index("unsure")]
    # The last word is alone, and stands for its own neighbours.
    assert beside.tolist() == [4.0, 0.0, 1.0]


def test_without_a_file_a_word_is_in_doubt_below_half_confidence():
    unsure = [-math.log(0.51), -math.log(0.49)]
    judged = PLAIN.judge(spans_at(0, 20), evidence(*unsure))
    assert [span.doubtful for span in judged] == [False, True]


STRICT = Doubts({"unsure": 1.0}, 0.0, doubtful=0.6, unknown=0.9)


def test_what_is_none_of_the_words_becomes_one_sign_for_each_stretch():
    judged = STRICT.judge(spans_at(0, 20, 40, 500), evidence(0.1, 5.0, 5.0, 5.0))
    assert [(span.word, span.first, span.last) for span in judged] == [
        ("ab", 0, 5),
        (UNKNOWN_WORD, 20, 45),
        (UNKNOWN_WORD, 500, 505),
    ]
    assert [span.doubtful for span in judged] == [False, True, True]


def test_nothing_but_unknown_words_is_no_words():
    assert STRICT.judge(spans_at(0, 20), evidence(5.0, 5.0)) == []
    assert STRICT.judge([], evidence()) == []


@given(st.lists(st.floats(0, 20), max_size=12))
def test_more_evidence_is_more_doubt(unsure):
    spans = spans_at(*range(0, 500 * len(unsure), 500))
    doubt = STRICT.estimate(spans, evidence(*unsure))
    assert np.all((doubt >= 0) & (doubt <= 1))
    assert np.all(np.diff(doubt[np.argsort(unsure)]) >= 0)


def test_hidden_units_count_what_comes_together():
    # By hand: 1 / (1 + exp(-(x + 0.5 - 2 tanh(3 x - 1)))) at x = 1.
    doubts = Doubts({"unsure": 1.0}, 0.5, 0.5, units=(Unit({"unsure": 3.0}, -1.0, -2.0),))
    (doubt,) = doubts.estimate(spans_at(0), evidence(1.0))
    assert doubt == pytest.approx(1 / (1 + math.exp(-(1.5 - 2 * math.tanh(2.0)))))


def test_doubts_survive_the_file(tmp_path):
    assert load_doubts(tmp_path) == {}
    deep = replace(STRICT, units=(Unit({"short": 0.5}, 0.1, -2.0), Unit({}, 1.0, 3.0)))
    write_doubts({"beam": deep, "greedy": PLAIN}, tmp_path)
    assert load_doubts(tmp_path) == {"beam": deep, "greedy": PLAIN}


def test_a_file_of_an_earlier_version_has_no_units(tmp_path):
    content = {"weights": {"unsure": 1.0}, "bias": 0.0, "doubtful": 0.6, "unknown": 0.9}
    (tmp_path / DOUBTS_FILE).write_text(json.dumps({"beam": content}))
    assert load_doubts(tmp_path) == {"beam": STRICT}


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"beam": 1}', '{"beam": {}}', json.dumps({"beam": {"weights": {"unsure": "x"}}})],
)
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / DOUBTS_FILE).write_text(content)
    with pytest.raises(ArtifactError, match=DOUBTS_FILE):
        load_doubts(tmp_path)
