"""A queue of runs of every kind, as the app has one."""

from foundry.compression.runs import COMPRESSIONS
from foundry.photos.teaching.tuning.runs import TUNINGS
from foundry.runs.queue import RunQueue
from foundry.search.runs import SEARCHES
from foundry.training.runs import TRAININGS

STORES = (TRAININGS, COMPRESSIONS, SEARCHES, TUNINGS)


def build_queue():
    return RunQueue(STORES)


def parents():
    """The folders in which runs of every kind are."""
    return [store.parent() for store in STORES]
