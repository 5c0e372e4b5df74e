"""Predictors over a handle, with handles that are none of Ray's; and what hands them out."""

import re

import numpy as np
import pytest
import torch

from foundry.compression.export import load_exportable
from foundry.compression.speeds import _load
from foundry.models import (
    DENSE,
    VARIANTS,
    available_models,
    load_model,
    load_predictor,
    load_pretrained,
    remote,
)
from foundry.models.remote import RemotePredictor, answer_elsewhere
from foundry.models.runtime import OpenVinoPredictor, TorchPredictor
from foundry.sentiment import score_text, score_texts, wrap_classifier

exceptions = pytest.importorskip("ray.exceptions")
serve_exceptions = pytest.importorskip("ray.serve.exceptions")

IMAGE = torch.zeros(1, 1, 28, 28)


class FakeHandle:
    """Answers by a function, after failing as it is told to."""

    def __init__(self, answer, *failures):
        self._answer, self.failures, self.num_calls = answer, list(failures), 0
        self.callers, self.num_cancelled = set(), 0

    def remote(self, caller, *arrays):
        self.num_calls += 1
        self.callers.add(caller)
        self._arrays = arrays
        return self

    def result(self, timeout_s):
        if self.failures:
            raise self.failures.pop(0)
        answer = self._answer(*(torch.from_numpy(array) for array in self._arrays)).numpy()
        answer.flags.writeable = False
        return answer

    def cancel(self):
        self.num_cancelled += 1


@pytest.fixture(autouse=True)
def elsewhere():
    yield
    answer_elsewhere({})


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(remote, "_RETRY_S", 0.0)


def here_is_ten(*_):
    return torch.full((1, 10), 10.0)


def predictor(handle, **options):
    return RemotePredictor("lenet-dense", handle, "same", lambda: here_is_ten, **options)


def test_a_call_goes_through_the_handle(lenet):
    handle = FakeHandle(lenet)
    answer = predictor(handle)(IMAGE)
    assert torch.equal(answer, lenet(IMAGE))
    assert handle.callers == {"same"}
    answer += 1  # What Ray hands over is read-only; this is not.


@pytest.mark.parametrize(
    "loss",
    [
        exceptions.ActorDiedError(),
        exceptions.ActorUnavailableError("gone for now", None),
        exceptions.NodeDiedError("gone"),
        exceptions.WorkerCrashedError(),
        exceptions.TaskCancelledError(),
        serve_exceptions.BackPressureError(num_queued_requests=1, max_queued_requests=1),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_call_whose_replica_was_lost_is_made_again(lenet, loss):
    handle = FakeHandle(lenet, loss, loss)
    assert torch.equal(predictor(handle)(IMAGE), lenet(IMAGE))
    assert handle.num_calls == 3


class _OtherVersionError(Exception):
    pass


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (exceptions.ObjectStoreFullError(), "object store is full"),
        (exceptions.OutOfDiskError(), "disk .* is full"),
        (
            exceptions.RayTaskError("f", "traceback", _OtherVersionError("other versions")),
            "other versions",
        ),
        (TimeoutError(), "no replica answered within 45 s"),
        (ConnectionError("head node is gone"), r"no replica could be reached \(ConnectionError\)"),
    ],
    ids=["full-store", "full-disk", "version", "timeout", "no-cluster"],
)
def test_what_lasts_gets_a_sentence_and_the_answer_comes_from_here(caplog, failure, sentence):
    handle = FakeHandle(here_is_ten, failure)
    predict = predictor(handle)
    assert torch.equal(predict(IMAGE), here_is_ten())
    (record,) = caplog.records
    assert "lenet-dense is answered by the page's own process" in record.message
    assert re.search(sentence, record.message)
    # The next ones do not wait for the same again.
    predict(IMAGE)
    assert handle.num_calls == 1
    assert handle.num_cancelled == isinstance(failure, TimeoutError)


def test_a_handle_that_cannot_even_be_called_costs_no_answer():
    class Gone:
        def remote(self, *_):
            raise RuntimeError("Ray has been shut down")

    assert torch.equal(predictor(Gone())(IMAGE), here_is_ten())


def test_after_a_while_replicas_are_asked_again(lenet, monkeypatch):
    handle = FakeHandle(lenet, exceptions.OutOfDiskError())
    predict = predictor(handle)
    monkeypatch.setattr(remote, "_PAUSE_S", 0.0)
    assert torch.equal(predict(IMAGE), here_is_ten())
    assert torch.equal(predict(IMAGE), lenet(IMAGE))


def test_repeating_ends_with_the_patience(lenet):
    handle = FakeHandle(lenet, *[exceptions.ActorDiedError()] * 1000)
    assert torch.equal(predictor(handle, patience_s=0.0)(IMAGE), here_is_ten())


def test_the_door_hands_out_what_was_registered_and_nothing_else(lenet):
    answer_elsewhere({("lenet", DENSE): here_is_ten})
    assert load_predictor("lenet") is here_is_ten
    assert isinstance(load_predictor("lenet", is_here=True), TorchPredictor)
    assert isinstance(load_predictor("lenet", variant=VARIANTS["int8"]), OpenVinoPredictor)
    # Networks themselves are always here: activations need them.
    assert load_model("lenet") is lenet


def test_what_is_timed_or_exported_runs_here():
    answer_elsewhere({("lenet", VARIANTS["int8"]): here_is_ten})
    (spec,) = available_models("digits")
    assert _load(spec, VARIANTS["int8"]) is not here_is_ten
    assert load_exportable("lenet", "digits", VARIANTS["int8"]).compiled is not None


@pytest.mark.parametrize("variant", ["dense", "int8"])
def test_texts_are_scored_as_they_are_here(variant):
    form = VARIANTS[variant]
    texts = ["A warm and funny film.", "Awful.", "Not bad, " * 30]
    local = load_pretrained("bert-sentiment", "sentiment", variant=form)
    at_home = wrap_classifier(local.model, local.processor, local.compiled)
    answer_elsewhere(
        {
            ("bert-sentiment", form): RemotePredictor(
                "bert", FakeHandle(local.predict), "same", lambda: local.predict
            )
        }
    )
    away = load_pretrained("bert-sentiment", "sentiment", variant=form)
    assert away.compiled is not local.compiled
    model = wrap_classifier(away.model, away.processor, away.compiled)
    for text in texts:
        expected = score_text(at_home, text).probs
        assert score_text(model, text).probs == pytest.approx(expected, abs=1e-5)
    *_, last = score_texts(model, texts)
    assert last.num_done == 3


def test_answers_of_several_rows_keep_their_rows(lenet):
    images = torch.from_numpy(np.random.default_rng(0).random((5, 1, 28, 28), np.float32))
    assert torch.equal(predictor(FakeHandle(lenet))(images), lenet(images))
