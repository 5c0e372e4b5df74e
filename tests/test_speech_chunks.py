import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from foundry.speech_chunks import ChunkPlan, FrameGrid, cut_chunks

STOCK = FrameGrid((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2))


def test_the_stock_front_end_sees_25_ms_every_20_ms():
    # Baevski et al. 2020, section 4.2: stride about 20 ms, receptive field 25 ms.
    assert (STOCK.stride, STOCK.width) == (320, 400)


@settings(deadline=None)
@given(
    num_samples=st.integers(0, 60_000),
    core_s=st.floats(0.1, 2.0),
    context_s=st.floats(0.0, 0.5),
    block=st.integers(100, 20_000),
)
def test_kept_frames_are_those_of_the_whole_each_once(num_samples, core_s, context_s, block):
    sound = np.arange(num_samples, dtype=np.float32)
    blocks = (sound[start : start + block] for start in range(0, num_samples, block))
    starts = []
    for chunk in cut_chunks(blocks, STOCK, ChunkPlan(core_s, context_s, 1.0), 16_000):
        # The samples count themselves, so that the first of a frame tells where it lies.
        kept = range(chunk.first, chunk.first + chunk.num_frames)
        starts += [float(chunk.waveform[frame * STOCK.stride]) for frame in kept]
        assert STOCK.count_frames(len(chunk.waveform)) >= chunk.first + chunk.num_frames
    assert starts == [frame * 320.0 for frame in range(STOCK.count_frames(num_samples))]
