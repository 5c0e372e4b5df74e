"""Named endpoints for compression; each is documented in the README with an example."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from foundry.compression.config import CompressConfig
from foundry.compression.runs import CompressRun, create_compression, follow_compression
from foundry.errors import InputError
from foundry.runs.folders import ACTIVE
from foundry.runs.queue import RunQueue
from foundry.ui.page.feedback import shows_errors
from foundry.ui.page.visitor import session_owner
from foundry.ui.server.limits import TRAINING_STARTS


def build_compress_api(queue: RunQueue) -> None:
    """Add `/compress` and `/compare` to the app being built.

    Args:
        queue: Where compressions are started.
    """

    def compress(
        request: gr.Request,
        model: str = CompressConfig.model,
        pruning_ratio: float = CompressConfig.pruning_ratio,
        weight_bits: int = CompressConfig.weight_bits,
        recovery_epochs: int = CompressConfig.recovery_epochs,
        sparsity: float = CompressConfig.sparsity,
        scope: str = CompressConfig.scope,
    ) -> Iterator[dict[str, Any]]:
        """Compress a model; streams progress and ends with the result's row of the table."""
        config = CompressConfig(
            model=model,
            pruning_ratio=pruning_ratio,
            weight_bits=weight_bits,
            sparsity=sparsity,
            scope=scope,
            recovery_epochs=recovery_epochs,
        )
        for run in _follow(_start(queue, config, request)):
            yield run.result["row"] if run.result else summarize_compression(run)

    def compare(request: gr.Request, model: str = CompressConfig.model) -> list[dict[str, Any]]:
        """Measure the forms of a model that need no training; returns the table."""
        config = CompressConfig(model=model, pruning_ratio=0.0)
        *_, run = _follow(_start(queue, config, request))
        assert run.result is not None
        return run.result["rows"]

    gr.api(shows_errors(compress), api_name="compress", concurrency_limit=None)
    gr.api(shows_errors(compare), api_name="compare", concurrency_limit=None)


def _start(queue: RunQueue, config: CompressConfig, request: gr.Request) -> CompressRun:
    owner = session_owner(request)
    TRAINING_STARTS.count(owner)
    return queue.start(create_compression, config, owner)


def _follow(run: CompressRun) -> Iterator[CompressRun]:
    """Yield readings whenever it has moved.

    Raises:
        InputError: If it ended without a result.
    """
    for reading in follow_compression(run.run_id):
        if reading.status not in (*ACTIVE, "done"):
            raise InputError(f"The compression was {reading.status}. {reading.reason}".strip())
        yield reading


def summarize_compression(run: CompressRun) -> dict[str, Any]:
    """Return what programs are told of a compression."""
    last = run.events[-1] if run.events else None
    return {
        "run_id": run.run_id,
        "status": run.status,
        "progress": round(run.progress, 4),
        "stage": last.stage if last else "",
        "sentence": last.sentence if last else "",
        "val_accuracy": last.val_accuracy if last else None,
    }
