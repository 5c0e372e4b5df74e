import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import torch
from torch import nn
from waiting import call_at_once

from foundry.data import load_test_split, normalize
from foundry.errors import InputError
from foundry.models import VARIANTS, build_model, load_model, load_predictor, runtime
from foundry.models.calibration import digit_samples
from foundry.models.quantization import convert, quantize_weights
from foundry.models.runtime import (
    OpenVinoPredictor,
    TorchPredictor,
    compute_logits,
    on_compute_thread,
    on_narrow_thread,
    openvino_core,
)
from foundry.models.variants import SIGNATURES


@pytest.fixture(scope="module")
def compiled(lenet):
    return OpenVinoPredictor(convert(lenet, SIGNATURES["digits"], digit_samples()[0]))


@pytest.fixture(scope="module")
def images(mnist):
    return normalize(mnist.test.images[:64])


def test_both_engines_give_the_same_logits(lenet, compiled, images):
    expected = lenet(images)
    torch.testing.assert_close(TorchPredictor(lenet)(images), expected)
    torch.testing.assert_close(compiled(images), expected, rtol=1e-4, atol=1e-4)
    assert compiled(images).dtype == torch.float32


def test_a_batch_of_any_size_can_be_asked(compiled, images):
    whole = compiled(images)
    for size in (1, 2, 7):
        torch.testing.assert_close(compiled(images[:size]), whole[:size], rtol=1e-4, atol=1e-4)


def test_answers_are_not_overwritten_by_later_calls(compiled, images):
    first = compiled(images[:1])
    kept = first.clone()
    compiled(images[1:2])
    assert torch.equal(first, kept)


def test_many_threads_each_get_their_own_answer(compiled, images):
    expected = [compiled(image[None]) for image in images]
    wrong = []

    def ask(start):
        for index in range(start, start + 200):
            image = index % len(images)
            if not torch.equal(compiled(images[image][None]), expected[image]):
                wrong.append(image)

    call_at_once(*(partial(ask, 8 * number) for number in range(8)))
    assert not wrong


def test_a_failed_call_leaves_the_model_usable(compiled, images):
    for _ in range(3):
        with pytest.raises(Exception, match=r"(?i)shape|dim|size"):
            compiled(torch.zeros(1, 1, 5, 5))
    assert compiled(images[:1]).shape == (1, 10)


def test_a_small_network_has_one_thread_and_a_larger_one_as_many_as_pytorch(lenet, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    for model, num_threads in ((lenet, 1), (build_model("cnn", width=0.5).eval(), 2)):
        converted = convert(model, SIGNATURES["digits"], digit_samples()[0])
        # However many bytes a weight has.
        for form in (converted, quantize_weights(converted.clone())):
            compiled = OpenVinoPredictor(form).compiled
            assert compiled.get_property("INFERENCE_NUM_THREADS") == num_threads


def test_everything_is_computed_in_float32_or_int8(compiled):
    """A processor with bfloat16 would else use it, and answers depended on the machine."""
    for predictor in (compiled, load_predictor("lenet", variant=VARIANTS["int8"])):
        precision = predictor.compiled.get_property("INFERENCE_PRECISION_HINT")
        assert precision.get_type_name() == "f32"


def test_openvino_reports_to_nobody():
    import sys

    openvino_core()
    assert sys.modules["openvino_telemetry"] is None
    import nncf.telemetry.wrapper as nncf_telemetry
    import openvino.tools.ovc.telemetry_utils as openvino_telemetry

    assert "stub" in openvino_telemetry.tm.__name__
    assert type(nncf_telemetry.telemetry).__name__ == "MagicMock" or isinstance(
        nncf_telemetry.telemetry, type
    )


def test_a_network_on_the_cpu_is_a_predictor(lenet, images):
    from foundry.digits.reading import classify_digits

    pictures = (torch.rand(3, 28, 28) * 255).byte().numpy()
    plain = classify_digits(lenet, pictures)
    wrapped = classify_digits(TorchPredictor(load_model("lenet")), pictures)
    assert (plain == wrapped).all()
    assert isinstance(lenet, nn.Module)


def test_however_many_callers_there_are_a_few_threads_compute():
    @on_compute_thread
    def outer(number):
        return inner(number), threading.get_ident()

    @on_compute_thread
    def inner(number):
        return 2 * number, threading.get_ident()

    with ThreadPoolExecutor(40) as callers:
        barrier = threading.Barrier(40)
        list(callers.map(lambda _: barrier.wait(), range(40)))
        answers = list(callers.map(outer, range(400)))
    assert [doubled for (doubled, _), _ in answers] == [2 * number for number in range(400)]
    # One that is there already does not wait for another.
    assert all(inside == outside for (_, inside), outside in answers)
    assert len({thread for _, thread in answers}) <= 4


def test_what_is_raised_on_a_compute_thread_reaches_the_caller():
    @on_compute_thread
    def fail():
        raise InputError("not this")

    with pytest.raises(InputError, match="not this"):
        fail()


def test_as_many_calls_wait_at_once_as_are_expected(monkeypatch):
    monkeypatch.setattr(runtime, "_num_compute_threads", 2)
    monkeypatch.setattr(runtime, "_pools", {})
    runtime.expect_waiting(12)
    # Nobody gets through before all are there.
    together = threading.Barrier(12, timeout=30)
    with ThreadPoolExecutor(12) as callers:
        calls = [callers.submit(on_compute_thread(together.wait)) for _ in range(12)]
        assert sorted(call.result() for call in calls) == list(range(12))


def test_what_is_soon_done_uses_one_core_and_leaves_the_others_theirs(monkeypatch):
    monkeypatch.setattr(runtime, "_pools", {})
    # The tests have one core each.
    monkeypatch.setattr(runtime, "_num_cores", lambda: 3)
    before = 3
    assert on_narrow_thread(torch.get_num_threads)() == 1
    assert on_compute_thread(torch.get_num_threads)() == before
    # Neither the caller nor a thread that is new afterwards.
    assert torch.get_num_threads() == before
    with ThreadPoolExecutor(1) as new:
        assert new.submit(torch.get_num_threads).result() == before
    # One that is there already stays.
    assert on_narrow_thread(on_compute_thread(torch.get_num_threads))() == 1
    torch.set_num_threads(1)


def test_logits_are_the_networks(lenet):
    images = load_test_split().images[:520]
    with torch.inference_mode():
        expected = lenet(normalize(images))
    torch.testing.assert_close(compute_logits(lenet, images), expected)
