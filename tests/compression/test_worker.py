"""How the process of a compression says why it failed; real ones are in `test_runs`."""

import errno
import os

import pytest

from foundry.compression import worker
from foundry.compression.config import CompressConfig
from foundry.compression.runs import create_compression, read_compression
from foundry.errors import ArtifactError, DivergedError


class Silent:
    """Stands in for `Commands`."""

    last = None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ArtifactError("It is gone; bring it again."), "It is gone; bring it again"),
        (DivergedError("Its loss was not finite."), "Its loss was not finite"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "make room there first"),
        (MemoryError(), "close something first"),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_a_failure_is_a_sentence_that_the_page_ends(runs_folder, monkeypatch, error, said):
    def fail(_):
        raise error

    monkeypatch.setattr(worker, "leave_room_for_the_server", lambda: None)
    monkeypatch.setattr(worker, "Commands", Silent)
    monkeypatch.setattr(worker, "compress", fail)
    run = create_compression(CompressConfig(pruning_ratio=0.0, weight_bits=32), "alice")
    with pytest.raises(type(error)):
        worker.main(run.run_id)
    failed = read_compression(run.run_id)
    assert failed.status == "failed"
    assert failed.reason.endswith(said)
