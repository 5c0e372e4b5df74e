"""The folder of a search as Ray Tune and the log would have left it; starts neither."""

from foundry.runs.folders import append_event, write_status
from foundry.search import SearchConfig, SearchEvent
from foundry.search.runs import TUNE_FOLDER, create_search, read_search
from foundry.training import TrainState, train
from foundry.training.checkpoints import save_checkpoint

SMALL = SearchConfig(num_train_images=500, batch_size=(64, 128), epochs=1, num_trials=2, minutes=0)
SETTINGS = {"optimizer": "adam", "schedule": "constant", "learning_rate": 0.01, "batch_size": 64}
SETTINGS |= {"weight_decay": 0.01, "label_smoothing": 0.0, "dropout": 0.0}


def make_event(trial_id, state="running", epoch=1.0, accuracy=0.9, elapsed_s=1.0, train_s=0.5):
    return SearchEvent(trial_id, state, SETTINGS, epoch, accuracy, train_s, 61_706, elapsed_s)


def make_search(mnist):
    """Make alice's search under way, with one trial that went to its end, and one a quarter so."""
    run = create_search(SMALL, "alice")
    state = TrainState(SMALL.train_config(SETTINGS))
    checkpoint = run.folder / TUNE_FOLDER / "t1" / "checkpoint_000003"
    checkpoint.mkdir(parents=True)
    for event in train(state, mnist):
        append_event(checkpoint, event)
    save_checkpoint(state, checkpoint / "checkpoints")
    append_event(run.folder, make_event("t1", "done", accuracy=state.best_val_accuracy))
    append_event(run.folder, make_event("t2", "running", epoch=0.25, accuracy=0.5))
    write_status(run.folder, "running")
    return read_search(run.run_id)
