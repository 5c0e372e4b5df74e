"""A run that is in the third of its four epochs, without anybody who trains it."""

from foundry.runs.folders import append_event, write_status
from foundry.training import TrainConfig, TrainEvent
from foundry.training.runs import create_run, read_run

CONFIG = TrainConfig(epochs=4, num_train_images=500)


def event_at(step, val_accuracy=None, is_best=False):
    """Two steps an epoch, four epochs."""
    return TrainEvent(
        step=step,
        num_steps=8,
        epoch=(step + 1) // 2,
        train_loss=1 / step,
        learning_rate=1e-3,
        val_loss=None if val_accuracy is None else 1 - val_accuracy,
        val_accuracy=val_accuracy,
        is_best=is_best,
        images_per_s=12_345.0,
        elapsed_s=3.0 * step,
    )


def make_run():
    """Three of four epochs; the second is the best."""
    run = create_run(CONFIG, "alice", "cpu")
    for event in (
        event_at(1),
        event_at(2, 0.80, True),
        event_at(3),
        event_at(4, 0.95, True),
        event_at(5),
        event_at(6, 0.90),
    ):
        append_event(run.folder, event)
    write_status(run.folder, "running")
    return read_run(run.run_id)
