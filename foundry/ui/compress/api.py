"""Named endpoints for compression; foundry/ui/README.md has examples."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from foundry.compression.config import CompressConfig
from foundry.compression.runs import COMPRESSIONS, CompressRun, create_compression
from foundry.errors import InputError
from foundry.runs.folders import ACTIVE
from foundry.runs.queue import RunQueue
from foundry.ui.components.run_api import start_and_follow
from foundry.ui.page.feedback import shows_errors


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
        for run in _follow(queue, config, request):
            yield run.result["row"] if run.result else run.summary

    def compare(request: gr.Request, model: str = CompressConfig.model) -> list[dict[str, Any]]:
        """Measure the variants of a model that need no training; returns the table."""
        config = CompressConfig(model=model, pruning_ratio=0.0)
        *_, run = _follow(queue, config, request)
        assert run.result is not None
        return run.result["rows"]

    gr.api(shows_errors(compress), api_name="compress", concurrency_limit=None)
    gr.api(shows_errors(compare), api_name="compare", concurrency_limit=None)


def _follow(queue: RunQueue, config: CompressConfig, request: gr.Request) -> Iterator[CompressRun]:
    """Start a compression, and yield readings whenever it has moved.

    Raises:
        InputError: If it ended without a result.
    """
    for run in start_and_follow(queue, COMPRESSIONS, request, create_compression, config):
        if run.status not in (*ACTIVE, "done"):
            raise InputError(f"The compression was {run.status}. {run.reason}".strip())
        yield run
