"""What a replica computes, called without Ray Serve around it."""

import asyncio

import numpy as np
import pytest
import torch
from waiting import call_in_a_thread

pytest.importorskip("ray.serve")

from foundry.errors import InputError
from foundry.models import VARIANTS, load_predictor, load_pretrained
from foundry.serving.replica import FULL_BATCH, Replica, _size, fingerprint

pytestmark = pytest.mark.slow("loads and quantizes shipped models")


@pytest.mark.parametrize("variant", ["dense", "int8"])
def test_texts_of_several_requests_are_computed_at_once_and_told_apart(variant):
    replica = Replica("sentiment", "bert-sentiment", variant)
    loaded = load_pretrained("bert-sentiment", "sentiment", variant=VARIANTS[variant])
    requests = [
        loaded.processor(texts, padding=True)
        for texts in (["good"], ["A long and dreary evening.", "bad"], ["fine, " * 20])
    ]
    arrays = [(np.array(each["input_ids"]), np.array(each["attention_mask"])) for each in requests]
    answers = replica._run(arrays)
    assert [answer.shape for answer in answers] == [(1, 3), (2, 3), (1, 3)]
    for (ids, mask), answer in zip(arrays, answers, strict=True):
        for row, of_row, logits in zip(ids, mask, answer, strict=True):
            inputs = torch.from_numpy(row[None, : of_row.sum()])
            alone = loaded.predict(inputs, torch.ones_like(inputs)).numpy()[0]
            assert logits == pytest.approx(alone, abs=1e-3 if variant == "dense" else 0.2)


def test_images_are_answered_as_they_are_here():
    replica = Replica("digits", "lenet", "dense")
    images = np.random.default_rng(0).random((3, 1, 28, 28), np.float32)
    images.flags.writeable = False
    (answer,) = replica._run([(images,)])
    here = load_predictor("lenet")(torch.from_numpy(images.copy()))
    assert answer == pytest.approx(here.numpy(), abs=1e-5)


def test_a_recording_is_answered_as_it_is_here():
    replica = Replica("speech", "wav2vec2-commands", "dense")
    sound = np.random.default_rng(0).standard_normal((1, 8000)).astype(np.float32)
    (answer,) = replica._run([(sound,)])
    here = load_pretrained("wav2vec2-commands", "speech").predict(torch.from_numpy(sound))
    assert answer == pytest.approx(here.numpy(), abs=1e-3)


def test_a_replica_whose_answers_change_is_not_healthy():
    replica = Replica("digits", "lenet", "dense")

    async def answer(arrays):
        return replica._run([arrays])[0]

    # Only Ray Serve itself makes batches.
    replica._answer_alone = answer
    call_in_a_thread(asyncio.run, replica.check_health())
    healthy = replica._predict
    replica._predict = lambda *inputs: healthy(*inputs) + 1
    with pytest.raises(RuntimeError, match="no longer"):
        call_in_a_thread(asyncio.run, replica.check_health())


def test_a_caller_of_another_version_is_refused_with_a_sentence():
    replica = Replica("digits", "lenet", "dense")
    with pytest.raises(InputError, match="different versions"):
        call_in_a_thread(asyncio.run, replica("another", np.zeros((1, 1, 28, 28), np.float32)))


def test_every_form_has_a_fingerprint_of_its_own():
    names = [("lenet", "dense"), ("lenet", "pruned"), ("bert-sentiment", "dense")]
    assert len({fingerprint(name, VARIANTS[variant]) for name, variant in names}) == len(names)


def test_a_batch_is_full_by_its_tokens():
    short, long = (np.zeros((1, 16)),), (np.zeros((4, 512)),)
    assert _size([short, short]) == 2
    # One request is never too large for a batch of its own.
    assert _size([long]) == FULL_BATCH
