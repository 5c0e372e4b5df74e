"""Architectures: `architectures` names those that are trained here and builds them.

`digits` has what they share, `convolutional` LeNet and CNN, `recurrent` the LSTM, `attention` the
Transformer, `seeding` the random weights they begin with. `efficientnet` names photos, `bert` is
the shortened last layer of BERT. They are plain `nn.Module`s that know nothing of files;
`foundry.models.checkpoints` reads and writes their weights.
"""

from foundry.models.networks.architectures import (
    available_architectures,
    build_model,
    title_of,
)
from foundry.models.networks.attention import Transformer
from foundry.models.networks.convolutional import CNN, LeNet, count_parameters, is_finite
from foundry.models.networks.efficientnet import EfficientNetLite0
from foundry.models.networks.recurrent import LSTM
from foundry.models.networks.seeding import Seeded

__all__ = [
    "CNN",
    "LSTM",
    "EfficientNetLite0",
    "LeNet",
    "Seeded",
    "Transformer",
    "available_architectures",
    "build_model",
    "count_parameters",
    "is_finite",
    "title_of",
]
