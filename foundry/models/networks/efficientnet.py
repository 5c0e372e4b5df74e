"""EfficientNet-Lite0, which names what is on a photo."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

# Of each stage: blocks, size of the kernel, stride of its first block, factor of its width inside,
# channels.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM_CHANNELS, _HEAD_CHANNELS = 32, 1280
# Of TensorFlow, in which the weights were trained.
_NORM_EPSILON = 1e-3


class _ConvNorm(nn.Sequential):
    """A convolution that keeps the size, or halves it, and the normalisation of what it gives."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        is_linear: bool = False,
    ) -> None:
        reach = kernel - stride
        # TensorFlow pads a halving convolution of an even size by one less on the left and on top.
        before, after = reach // 2, reach - reach // 2
        layers: list[nn.Module] = [nn.ZeroPad2d((before, after) * 2)] if before != after else []
        padding = before if before == after else 0
        layers += [
            nn.Conv2d(
                in_channels, out_channels, kernel, stride, padding, groups=groups, bias=False
            ),
            nn.BatchNorm2d(out_channels, eps=_NORM_EPSILON),
        ]
        super().__init__(*layers, *([] if is_linear else [nn.ReLU6()]))


class _Block(nn.Module):
    """An inverted bottleneck: wider, filtered channel by channel, narrower."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int, factor: int
    ) -> None:
        super().__init__()
        inside = factor * in_channels
        self.layers = nn.Sequential(
            *([_ConvNorm(in_channels, inside)] if factor > 1 else []),
            _ConvNorm(inside, inside, kernel, stride, groups=inside),
            _ConvNorm(inside, out_channels, is_linear=True),
        )
        self.keeps_shape = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        narrow: Tensor = self.layers(x)
        return x + narrow if self.keeps_shape else narrow


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0: 16 inverted bottlenecks, 4,652,008 parameters with 1,000 classes.

    Against EfficientNet-B0 it has no squeeze-and-excitation, and ReLU6 in place of swish.

    Source: Tan and Le, EfficientNet, 2019; tensorflow/tpu, models/official/efficientnet/lite.
    """

    IMAGE_SIZE = 224
    NUM_FEATURES = _HEAD_CHANNELS

    def __init__(self, labels: Sequence[str], dropout: float = 0.2) -> None:
        """Build the network with random weights.

        Args:
            labels: What each class is called; as many logits are given.
            dropout: Probability of dropping a feature while training, in [0, 1).
        """
        super().__init__()
        self.config = {
            "architecture": "efficientnet-lite0",
            "labels": list(labels),
            "dropout": dropout,
        }
        self.stem = _ConvNorm(3, _STEM_CHANNELS, kernel=3, stride=2)
        blocks, channels = [], _STEM_CHANNELS
        for num_blocks, kernel, stride, factor, out_channels in _STAGES:
            for index in range(num_blocks):
                step = stride if index == 0 else 1
                blocks.append(_Block(channels, out_channels, kernel, step, factor))
                channels = out_channels
        self.blocks = nn.Sequential(*blocks)
        self.head = _ConvNorm(channels, _HEAD_CHANNELS)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(_HEAD_CHANNELS, len(labels))

    def compute_inner(self, images: Tensor) -> Tensor:
        """Map pictures, float32 (N, 3, 224, 224) in [-1, 1], to what the last block is given.

        Returns:
            float32 (N, 192, 7, 7).
        """
        inner: Tensor = self.blocks[:-1](self.stem(images))
        return inner

    def compute_maps(self, images: Tensor) -> Tensor:
        """Map pictures, float32 (N, 3, 224, 224) in [-1, 1], to features, (N, 1280, 7, 7)."""
        maps: Tensor = self.head(self.blocks[-1](self.compute_inner(images)))
        return maps

    def compute_features(self, images: Tensor) -> Tensor:
        """Map pictures, float32 (N, 3, 224, 224) in [-1, 1], to features, (N, 1280)."""
        return self.compute_features_of(self.compute_inner(images))

    def compute_features_of(self, inner: Tensor) -> Tensor:
        """Map what the last block is given, float32 (N, 192, 7, 7), to features, (N, 1280)."""
        return F.adaptive_avg_pool2d(self.head(self.blocks[-1](inner)), 1).flatten(1)

    def forward(self, images: Tensor) -> Tensor:
        """Map pictures, float32 (N, 3, 224, 224) in [-1, 1], to logits, (N, classes)."""
        logits: Tensor = self.classifier(self.dropout(self.compute_features(images)))
        return logits


def fold_norms(network: EfficientNetLite0) -> EfficientNetLite0:
    """Return a copy that answers the same but for rounding, in two thirds of the time.

    Every normalisation is part of the convolution before it, channels lie beside each other in
    memory, and activations are cut off in place.

    Args:
        network: In evaluation mode; not modified. The copy is for answers alone.
    """
    folded = copy.deepcopy(network).requires_grad_(False)
    for part in folded.modules():
        if not isinstance(part, _ConvNorm):
            continue
        for place, layer in enumerate(part):
            if isinstance(layer, nn.BatchNorm2d):
                convolution = part[place - 1]
                assert isinstance(convolution, nn.Conv2d)
                part[place - 1] = fuse_conv_bn_eval(convolution, layer)
                part[place] = nn.Identity()
            elif isinstance(layer, nn.ReLU6):
                layer.inplace = True
    return folded.to(memory_format=torch.channels_last)
