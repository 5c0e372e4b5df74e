"""The process of one fine-tuning: `python -m foundry.photos.teaching.tuning.worker RUN_ID`.

It hears `pause` and `stop` on standard input; the end of input means that the server is gone, and
then it saves and leaves.
"""

import sys
import time

from filelock import FileLock

from foundry.errors import InputError
from foundry.photos.teaching.changes import keep_tuned
from foundry.photos.teaching.examples import Example
from foundry.photos.teaching.lessons import load_frozen
from foundry.photos.teaching.outcome import Tuned
from foundry.photos.teaching.projects import Project, projects_dir, read_project
from foundry.photos.teaching.tuning.learning import (
    NUM_EPOCHS,
    Lesson,
    TuneEvent,
    answer,
    look,
    tune,
)
from foundry.photos.teaching.tuning.runs import TUNINGS, TuneRun, rewind_events
from foundry.photos.teaching.tuning.state import TuneState
from foundry.photos.teaching.tuning.tail import pack_tail
from foundry.runs.folders import RESULT_FILE, Status, append_event, write_json, write_status
from foundry.runs.process import (
    Command,
    Commands,
    explain_failure,
    leave_at_once,
    leave_room_for_the_server,
)

_STANDING: dict[Command | None, Status] = {
    None: "done",
    "stop": "stopped",
    "pause": "paused",
    "interrupt": "interrupted",
}
_SAVE_EVERY_S = 5.0
# As often as the page looks.
_LOG_EVERY_S = 0.4


def _read_taught(run: TuneRun) -> Project:
    project = read_project(projects_dir() / run.config.project)
    if project is None:
        raise InputError("these classes were deleted meanwhile")
    if project.digest_head() != run.config.taught:
        raise InputError("the classes were trained anew meanwhile; fine-tune again")
    return project


def _list_taught(project: Project) -> list[Example]:
    """Return the examples that the head was taught, as far as they are still there."""
    taught = [one for one in project.examples if not one.is_new]
    held_out = [one for one in taught if one.is_held_out]
    if not held_out or len(held_out) == len(taught):
        raise InputError(
            "too many examples were removed since the training: none is left to learn from, or "
            "none to judge by; press Train, then fine-tune"
        )
    return taught


def _look(
    run: TuneRun, project: Project, examples: list[Example], state: TuneState, commands: Commands
) -> Lesson | None:
    """Let the frozen blocks look at the pictures; None if a command came before the end.

    Where epochs are done already, a stop keeps them, which takes what comes out of this.
    """
    try:
        pictures = [project.open_picture(one.digest) for one in examples]
    except FileNotFoundError:
        raise InputError("some of the pictures were removed meanwhile; start again") from None
    started, logged_at = time.perf_counter(), 0.0
    for seen in look(load_frozen(), examples, state.tail.labels, pictures):
        if commands.last and not (commands.last == "stop" and state.epoch):
            return None
        if isinstance(seen, Lesson):
            state.elapsed_s += time.perf_counter() - started
            return seen
        elapsed_s = time.perf_counter() - started
        if not state.epoch and elapsed_s - logged_at > _LOG_EVERY_S:
            logged_at = elapsed_s
            append_event(run.folder, TuneEvent(0, seen / 2, None, None, elapsed_s))
    raise AssertionError("a look ends with a lesson")


def _learn_until_told(
    run: TuneRun, state: TuneState, lesson: Lesson, commands: Commands
) -> Command | None:
    saved_at = time.monotonic()
    for event in tune(state, lesson, run.config.seed):
        append_event(run.folder, event)
        if commands.last:
            break
        if time.monotonic() - saved_at > _SAVE_EVERY_S:
            state.save(run.state_file)
            saved_at = time.monotonic()
    return None if state.epoch == NUM_EPOCHS else commands.last


def _finish(run: TuneRun, state: TuneState, lesson: Lesson, held_out: list[Example]) -> None:
    """Keep what came out with the classes, and its figures here."""
    # Of the head alone, too: since it was first measured, pictures may have been removed.
    average = state.average()
    said, said_of_head = (
        [tail.labels[index] for index in answer(tail, lesson)] for tail in (average, state.start)
    )
    tuned = Tuned(
        tuple((one.digest, label) for one, label in zip(held_out, said, strict=True)),
        _count_right(held_out, said),
        _count_right(held_out, said_of_head),
        state.epoch,
        state.elapsed_s,
    )
    keep_tuned(_read_taught(run), pack_tail(average), tuned, run.config.taught)
    write_json(
        run.folder / RESULT_FILE,
        {
            "num_validated": len(held_out),
            "num_right": tuned.num_right,
            "num_right_head_alone": tuned.num_right_of_head,
            "epochs": state.epoch,
            "elapsed_s": state.elapsed_s,
        },
    )
    run.state_file.unlink(missing_ok=True)


def _count_right(examples: list[Example], said: list[str]) -> int:
    return sum(label == one.label for one, label in zip(examples, said, strict=True))


def _take_to_its_end(run: TuneRun, commands: Commands) -> None:
    project = _read_taught(run)
    examples = _list_taught(project)
    known = project.read_head()
    assert known is not None
    state = TuneState(load_frozen(), known[0])
    if run.state_file.exists():
        state.load(run.state_file)
    rewind_events(run, state.epoch)
    lesson = _look(run, project, examples, state, commands)
    command = commands.last
    if command is None and lesson is not None:
        command = _learn_until_told(run, state, lesson, commands)
    if command is None or (command == "stop" and lesson is not None and state.epoch):
        assert lesson is not None
        _finish(run, state, lesson, [one for one in examples if one.is_held_out])
    elif command != "stop" and state.epoch:
        state.save(run.state_file)
    write_status(run.folder, _STANDING[command])


def main(run_id: str) -> None:
    """Take a fine-tuning to its end, or until told otherwise.

    Args:
        run_id: An existing one; what a pause kept is gone on from.
    """
    commands = Commands()
    run = TUNINGS.read(run_id)
    # After a server crash the worker before this one may still be saving.
    with FileLock(run.folder / "worker.lock", timeout=30):
        try:
            write_status(run.folder, "running")
            _take_to_its_end(run, commands)
        except InputError as error:
            # It would fail again.
            write_status(run.folder, "failed", str(error).removesuffix("."), is_final=True)
        except Exception as error:
            write_status(run.folder, "failed", explain_failure(error, run.folder))
            raise


if __name__ == "__main__":
    leave_room_for_the_server()
    main(sys.argv[1])
    leave_at_once()
