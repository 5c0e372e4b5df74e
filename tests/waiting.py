"""Waiting for what another process does, without a guess at how long it takes."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

# Long enough for a worker to import torch on a busy machine.
PATIENCE_S = 120


def wait_until(condition, what, timeout_s=PATIENCE_S):
    """Wait for a condition and return its value; fail saying what never happened."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    pytest.fail(f"waited {timeout_s} s in vain for: {what}")


def call_at_once(*calls):
    """Make all calls at the same moment, each in a thread of its own.

    Returns what they returned, in their order; raises what one of them raised.
    """
    barrier = threading.Barrier(len(calls))

    def make(call):
        barrier.wait(PATIENCE_S)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make, calls))


def call_in_a_thread(function, *args):
    """Call where no event loop runs: in this thread one does, once a browser has been driven."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args).result()
