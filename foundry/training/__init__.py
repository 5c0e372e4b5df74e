"""Training small networks, as a stream of events.

Begin in `loop.py`: `for event in train(TrainState(config)): ...`. `config` has the knobs and
presets, `augmentation` and `evaluation` what happens around a step, `sharding` how several workers
share one, `checkpoints` how a state is kept, `snapshots` how it can be looked at afterwards. `runs`
is a training on disk, `worker` the process that takes it to its end, `export` what can be
downloaded; `inspection/` looks at all that from outside; `hand/` goes on with what a visitor drew.
"""

from foundry.training.config import TrainConfig
from foundry.training.loop import TrainEvent, train
from foundry.training.state import TrainState

__all__ = [
    "TrainConfig",
    "TrainEvent",
    "TrainState",
    "train",
]
