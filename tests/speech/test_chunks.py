import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_wav2vec2 import tiny_config
from transformers import Wav2Vec2Config, Wav2Vec2Model

from foundry.speech.chunks import Chunk, ChunkPlan, FrameGrid, cut_chunks, join_frames

RATE_HZ = 1_000  # samples; few, so that many plans can be tried
GRID = FrameGrid((10, 3), (5, 2))
TINY = Wav2Vec2Model(tiny_config())
STOCK = FrameGrid.of(Wav2Vec2Config())


def frames_of(waveform):
    """Answer every frame of `GRID` with what it sees."""
    return [
        tuple(waveform[start : start + GRID.width])
        for start in range(0, len(waveform) - GRID.width + 1, GRID.stride)
    ]


def borders_after(chunks):
    """Where each chunk's part ends; None for the last."""
    return [*(chunk.border for chunk in chunks[1:]), None] if chunks else []


def test_the_stock_front_end_sees_25_ms_every_20_ms():
    # Baevski et al., wav2vec 2.0 (2020), section 2.
    assert (STOCK.width, STOCK.stride) == (400, 320)


@given(num_samples=st.integers(0, 50_000))
def test_frames_are_counted_as_transformers_counts_them(num_samples):
    counted = TINY._get_feat_extract_output_lengths(torch.tensor(num_samples))
    assert FrameGrid.of(TINY.config).count_frames(num_samples) == max(0, int(counted))


@given(
    num_samples=st.integers(0, 6_000),
    core=st.integers(1, 60),
    context=st.integers(0, 40),
    level=st.integers(1, 2_000),
    sizes=st.lists(st.integers(1, 900), min_size=1, max_size=20),
)
def test_the_kept_frames_are_those_of_the_whole(num_samples, core, context, level, sizes):
    waveform = np.arange(num_samples, dtype=np.float32)
    stride_s = GRID.stride / RATE_HZ
    plan = ChunkPlan(core * stride_s, context * stride_s, level / RATE_HZ)
    edges = np.cumsum(sizes * (num_samples // sum(sizes) + 1))
    chunks = list(cut_chunks(np.split(waveform, edges), GRID, plan, RATE_HZ))
    kept = []
    for chunk, end in zip(chunks, borders_after(chunks), strict=True):
        frames = frames_of(chunk.waveform)
        kept += frames[chunk.border - chunk.start : end and end - chunk.start]
        # Bounded, however long the recording is.
        assert len(frames) <= core + 2 * context
        assert chunk.start <= chunk.border < chunk.start + len(frames)
    assert kept == frames_of(waveform)


@given(
    num_samples=st.integers(200, 6_000),
    core=st.integers(5, 60),
    context=st.integers(0, 40),
)
def test_the_level_is_that_of_a_window_inside_the_recording(num_samples, core, context):
    waveform = np.random.default_rng(0).standard_normal(num_samples).astype(np.float32)
    stride_s, level = GRID.stride / RATE_HZ, 1_000
    plan = ChunkPlan(core * stride_s, context * stride_s, level / RATE_HZ)
    chunks = list(cut_chunks(np.split(waveform, [500, 700]), GRID, plan, RATE_HZ))
    for chunk, end in zip(chunks, borders_after(chunks), strict=True):
        middle = (chunk.border + (end or GRID.count_frames(num_samples))) // 2 * GRID.stride
        start = min(max(0, middle - level // 2), max(0, num_samples - level))
        heard = waveform[start : start + level]
        assert chunk.mean == pytest.approx(heard.mean(), abs=1e-6)
        assert chunk.std == pytest.approx(heard.std(), rel=1e-5)


def test_a_short_recording_is_one_chunk_whatever_blocks_it_came_in():
    waveform = np.random.default_rng(0).standard_normal(300_000).astype(np.float32)
    (chunk,) = cut_chunks(np.split(waveform, 50), STOCK, ChunkPlan(), 16_000)
    assert np.array_equal(chunk.waveform, waveform)
    assert (chunk.start, chunk.border) == (0, 0)


def test_memory_is_bounded_by_the_plan_not_by_the_recording():
    block = np.zeros(16_000, np.float32)
    plan = ChunkPlan()
    longest = (plan.core_s + 2 * plan.context_s) * 16_000 + STOCK.width
    chunks = cut_chunks((block for _ in range(600)), STOCK, plan, 16_000)
    assert max(len(chunk.waveform) for chunk in chunks) <= longest


def part(start, border, labels):
    """A chunk that is sure of the label of every frame; 0 is blank."""
    log_probs = np.full((len(labels), 10), -10.0, np.float32)
    log_probs[np.arange(len(labels)), labels] = 0.0
    return Chunk(np.zeros(1, np.float32), 0.0, 1.0, start, border), log_probs


def joined(*parts, reach=5):
    pieces = list(join_frames(parts, 0, reach))
    return np.concatenate(pieces).argmax(1).tolist() if pieces else []


def test_a_letter_that_two_chunks_place_a_frame_apart_is_kept_once():
    first = part(0, 0, [0] * 8 + [0, 0, 7, 0] + [0] * 8)
    for place in (8, 9, 10, 11):
        labels = [0] * 20
        labels[place] = 7
        second = part(2, 10, labels[2:] + [0] * 10)
        assert joined(first, second).count(7) == 1


@given(
    num_frames=st.integers(1, 300),
    core=st.integers(8, 40),
    context=st.integers(0, 8),
    seed=st.integers(0, 100),
)
def test_chunks_that_agree_give_what_they_agree_on(num_frames, core, context, seed):
    labels = np.random.default_rng(seed).integers(0, 4, num_frames).tolist()
    parts = []
    for border in range(0, num_frames, core):
        start, end = max(0, border - context), min(num_frames, border + core + context)
        parts.append(part(start, border, labels[start:end]))
    assert joined(*parts, reach=context // 2) == labels


def test_nothing_joined_is_nothing():
    assert joined() == []
