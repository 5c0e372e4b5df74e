"""Cutting long sound, and putting the pieces' frames together so that no word is cut or doubled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from transformers import PretrainedConfig

# Frames on either side of a seam that should be quiet as well.
_SEAM_ROOM = 2


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
    def of(cls, config: PretrainedConfig) -> FrameGrid:
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
        core_s: Seconds from one chunk to the next.
        context_s: Seconds on either side that are heard as well; neighbours overlap by twice this.
        level_s: Seconds around a chunk over which its loudness is measured.
    """

    core_s: float = 16.0
    context_s: float = 2.0
    level_s: float = 30.0


@dataclass(frozen=True)
class Chunk:
    """A piece of sound and where its frames belong.

    Attributes:
        waveform: Float32 (samples,).
        mean: Of the sound around it.
        std: Of the sound around it.
        start: Which frame of the recording its first frame is.
        border: The frame in the middle of what it has in common with the chunk before.
    """

    waveform: np.ndarray
    mean: float
    std: float
    start: int = 0
    border: int = 0


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
        Chunks in order; from border to border their frames are those of the whole. None if the
        sound is too short for a frame.
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
            left,
            done,
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


def join_frames(
    parts: Iterable[tuple[Chunk, np.ndarray]], blank: int, reach: int
) -> Iterator[np.ndarray]:
    """Put the frames of chunks together, each frame of the recording once.

    Two chunks may place the same letter a frame apart; a seam between the two would lose it or
    double it. The seam is therefore where both are surest of hearing nothing.

    Args:
        parts: Every chunk, in order, with float32 log-probabilities (frames, symbols) of all of it.
        blank: The symbol that stands for nothing.
        reach: How far from the border a seam may be, in frames; less than the context.

    Yields:
        Log-probabilities of the recording, one piece after another.
    """
    held, held_start = np.zeros((0, 0), np.float32), 0
    for chunk, log_probs in parts:
        if chunk.border:
            first = max(chunk.border - reach, chunk.start, held_start)
            last = min(chunk.border + reach, chunk.start + len(log_probs), held_start + len(held))
            quiet = (
                held[first - held_start : last - held_start, blank]
                + log_probs[first - chunk.start : last - chunk.start, blank]
            )
            seam = first + _middle_of_quietest(quiet) if len(quiet) else chunk.border
            yield held[: seam - held_start]
            log_probs, held_start = log_probs[seam - chunk.start :], seam
        held = log_probs
    if len(held):
        yield held


def _middle_of_quietest(quiet: np.ndarray) -> int:
    """Return the frame whose neighbours are quiet too: a seam needs room on either side."""
    padded = np.pad(quiet, _SEAM_ROOM, mode="edge")
    worst = np.lib.stride_tricks.sliding_window_view(padded, 2 * _SEAM_ROOM + 1).min(axis=1)
    return int(worst.argmax())
