"""Cutting long sound so that the pieces' frames, put together, are those of the whole."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from transformers import PretrainedConfig


@dataclass(frozen=True)
class FrameGrid:
    """Where a model's frames lie over the samples.

    Attributes:
        kernels: Widths of the convolutions, first to last.
        strides: Steps of the convolutions, first to last.
    """

    kernels: tuple[int, ...]
    strides: tuple[int, ...]

    @classmethod
    def of(cls, config: PretrainedConfig) -> "FrameGrid":
        """Read the grid off a Wav2Vec2-like configuration."""
        return cls(tuple(config.conv_kernel), tuple(config.conv_stride))

    @property
    def stride(self) -> int:
        """Samples from one frame to the next."""
        return int(np.prod(self.strides))

    @property
    def width(self) -> int:
        """Samples that one frame sees."""
        width = 1
        for kernel, stride in zip(reversed(self.kernels), reversed(self.strides), strict=True):
            width = (width - 1) * stride + kernel
        return width

    def count_frames(self, num_samples: int) -> int:
        """Return the frames that so many samples make."""
        return max(0, (num_samples - self.width) // self.stride + 1)


@dataclass(frozen=True)
class ChunkPlan:
    """How long sound is cut.

    Attributes:
        core_s: Seconds of a chunk whose frames are kept.
        context_s: Seconds on either side that the model hears, but whose frames are dropped.
        level_s: Seconds around a chunk over which its loudness is measured.
    """

    core_s: float = 14.0
    context_s: float = 3.0
    level_s: float = 30.0


@dataclass(frozen=True)
class Chunk:
    """A piece of sound and which of its frames to keep.

    Attributes:
        waveform: Float32 (samples,).
        mean: Of the sound around it.
        std: Of the sound around it.
        first: Its first frame to keep.
        num_frames: How many to keep.
    """

    waveform: np.ndarray
    mean: float
    std: float
    first: int
    num_frames: int


def cut_chunks(
    blocks: Iterable[np.ndarray], grid: FrameGrid, plan: ChunkPlan, rate_hz: int
) -> Iterator[Chunk]:
    """Cut a stream of sound at whole frames.

    Sound no longer than a core with two contexts is one chunk, exactly as the model would hear it
    uncut. A model that normalises its input hears loudness relative to what else it is given: a
    window of fixed length around the chunk is measured, so that where the cuts are changes nothing
    for short sound, and in a long recording a quiet speaker is not drowned by a loud one far away.

    Args:
        blocks: Mono float32 (samples,), one after another.
        grid: Of the model.
        plan: Lengths.
        rate_hz: Of the sound.

    Yields:
        Chunks in order; the frames they keep are those of the whole, each once. None if the sound
        is too short for a frame.
    """
    core = max(1, round(plan.core_s * rate_hz / grid.stride))  # frames
    context = round(plan.context_s * rate_hz / grid.stride)  # frames
    level = round(plan.level_s * rate_hz)  # samples
    overhang = grid.width - grid.stride
    # Enough to measure the level around a core, and to know that the core is not the last one.
    ahead = max(level, (core + 2 * context) * grid.stride + overhang) + core * grid.stride
    kept, kept_from = np.zeros(0, np.float32), 0  # samples
    done = 0  # frames

    def chunk(last: bool) -> Chunk:
        num_samples = kept_from + len(kept)
        total = grid.count_frames(num_samples)
        until = total if last else done + core
        left = max(0, done - context)
        start = left * grid.stride - kept_from
        end = len(kept) if last else (until + context) * grid.stride + overhang - kept_from
        middle = (done + until) // 2 * grid.stride - kept_from
        level_end = min(max(middle + level // 2, level - kept_from), len(kept))
        heard = kept[max(0, level_end - level) : level_end]
        return Chunk(
            kept[start:end],
            float(heard.mean(dtype=np.float64)),
            float(heard.std(dtype=np.float64)),
            done - left,
            until - done,
        )

    for block in blocks:
        kept = np.concatenate([kept, block])
        while kept_from + len(kept) >= done * grid.stride + ahead:
            yield chunk(last=False)
            done += core
            needed = done * grid.stride - max(context * grid.stride, level)
            drop = max(0, needed - kept_from)
            kept, kept_from = kept[drop:], kept_from + drop
    while (left_over := grid.count_frames(kept_from + len(kept)) - done) > 0:
        last = left_over <= core + (2 * context if done == 0 else context)
        yield chunk(last)
        done += left_over if last else core
