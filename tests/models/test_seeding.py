import threading

import pytest
import torch

from foundry.models import available_architectures, build_model
from foundry.models.networks import Seeded


def build_seeded(architecture, seed=0):
    with Seeded(seed):
        return build_model(architecture).state_dict()


@pytest.mark.parametrize("architecture", available_architectures())
def test_weights_are_those_of_a_thread_that_is_alone_and_nothing_else_is_drawn(architecture):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        expected = build_model(architecture).state_dict()
    before = torch.random.get_rng_state()
    weights = build_seeded(architecture, 7)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.testing.assert_close(weights, expected, rtol=0, atol=0)


def test_another_thread_that_draws_meanwhile_changes_no_weight():
    expected = build_seeded("lenet")
    is_over = threading.Event()

    def draw():
        while not is_over.is_set():
            torch.manual_seed(1)
            torch.rand(10)

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        for _ in range(20):
            torch.testing.assert_close(build_seeded("lenet"), expected, rtol=0, atol=0)
    finally:
        is_over.set()
        thread.join()
