"""Taught classes whose last block is fine-tuned, in this process."""

from foundry.photos.teaching.changes import choose_tuned, keep_tuned
from foundry.photos.teaching.lessons import load_frozen
from foundry.photos.teaching.outcome import Tuned
from foundry.photos.teaching.tuning.learning import answer, look, tune
from foundry.photos.teaching.tuning.state import TuneState
from foundry.photos.teaching.tuning.tail import pack_tail


def begin(project):
    """Return the state before the first epoch."""
    head, _ = project.read_head()
    return TuneState(load_frozen(), head)


def look_at(project):
    """Return what the frozen blocks make of the pictures."""
    *shares, lesson = look(load_frozen(), project.examples, project.labels, project.open_pictures())
    assert shares[-1] == 1
    return lesson


def fine_tune(project):
    """Fine-tune a project; the outcome answers."""
    state, lesson = begin(project), look_at(project)
    first, *_ = tune(state, lesson)
    held_out = [one for one in project.examples if one.is_held_out]
    said = [state.tail.labels[index] for index in answer(state.average(), lesson)]
    tuned = Tuned(
        tuple((one.digest, label) for one, label in zip(held_out, said, strict=True)),
        sum(one.label == label for one, label in zip(held_out, said, strict=True)),
        round(first.val_accuracy * len(held_out)),
        state.epoch,
        state.elapsed_s,
    )
    kept = keep_tuned(project, pack_tail(state.average()), tuned, project.digest_head())
    return choose_tuned(kept, True)
