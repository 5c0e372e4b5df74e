"""Architectures: `convolutional` has LeNet and CNN, `bert` the shortened last layer of BERT.

They are plain `nn.Module`s that know nothing of files; `foundry.models.loading` reads and writes
their weights.
"""

from foundry.models.networks.convolutional import CNN, LeNet, count_parameters, is_finite

__all__ = [
    "CNN",
    "LeNet",
    "count_parameters",
    "is_finite",
]
