"""The process of one compression: `python -m foundry.compression.worker RUN_ID`.

`foundry.runs.queue` starts it. It hears `stop` on standard input; the end of input means that the
server is gone. Either way it leaves at once: a compression is short enough to be started again.
"""

import shutil
import sys
from pathlib import Path

from safetensors.torch import save_file

from foundry.compression.config import CompressEvent
from foundry.compression.runs import PROBS_FILE, CompressRun, read_compression
from foundry.compression.state import DENSE, PRUNED_FOLDER, CompressState
from foundry.compression.steps import compress
from foundry.errors import InputError
from foundry.models.checkpoints import WEIGHTS_FILE
from foundry.runs.folders import RESULT_FILE, append_event, is_run_id, write_json, write_status
from foundry.runs.process import (
    Commands,
    explain_failure,
    leave_at_once,
    leave_room_for_the_server,
)
from foundry.training.runs import read_run

# As often as the page looks.
_LOG_EVERY_S = 0.25


class _Log:
    """Appends events, leaving out those that say nothing new, or too soon for anybody to see."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: CompressEvent | None = None

    def add(self, event: CompressEvent) -> None:
        last = self._last
        if last and last.stage == event.stage and event.epoch is None and event.progress < 1:
            is_news = (event.progress, event.sentence) != (last.progress, last.sentence)
            if not is_news or event.elapsed_s - last.elapsed_s < _LOG_EVERY_S:
                return
        append_event(self._folder, event)
        self._last = event


def _record(run: CompressRun, state: CompressState) -> None:
    assert state.measured is not None
    probs = {
        name: answers.probs.contiguous()
        for name, answers in state.measured.answers.items()
        if answers.probs is not None
    }
    save_file(probs, run.folder / PROBS_FILE)
    write_json(run.folder / RESULT_FILE, state.report())
    if run.config.is_pruned and is_run_id(run.config.model):
        _give_pruned(run)


def _give_pruned(run: CompressRun) -> None:
    """Put the pruned network beside the weights that it was made from, as a variant of theirs."""
    variants = run.variants_folder
    try:
        training = read_run(run.config.model)
        kept = (training.best_folder / WEIGHTS_FILE).read_bytes()
    except (InputError, FileNotFoundError):
        # The training was deleted meanwhile: what was measured stays.
        return
    if kept != (variants / DENSE / WEIGHTS_FILE).read_bytes():
        # The training went on meanwhile.
        return
    partial = training.pruned_folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(variants / PRUNED_FOLDER, partial)
    # Its own files are replaced: whoever has loaded them holds them in memory.
    shutil.rmtree(training.pruned_folder, ignore_errors=True)
    partial.rename(training.pruned_folder)


def main(run_id: str) -> None:
    """Take a compression to its end, or until told otherwise.

    Args:
        run_id: An existing compression.
    """
    commands = Commands()
    leave_room_for_the_server()
    run = read_compression(run_id)
    log = _Log(run.folder)
    try:
        write_status(run.folder, "running")
        model = run.config.model
        source = read_run(model).best_folder if is_run_id(model) else model
        state = CompressState(run.config, source, run.variants_folder, run.dataset)
        for event in compress(state):
            if commands.last:
                break
            log.add(event)
        if commands.last:
            write_status(run.folder, "interrupted" if commands.last == "interrupt" else "stopped")
        else:
            _record(run, state)
            write_status(run.folder, "done")
    except Exception as error:
        write_status(run.folder, "failed", explain_failure(error, run.folder))
        raise


if __name__ == "__main__":
    main(sys.argv[1])
    leave_at_once()
