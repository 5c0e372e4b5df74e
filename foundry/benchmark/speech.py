"""How fast speech becomes text, in how much memory, beside transformers' own pipeline."""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from tqdm import tqdm
from transformers import pipeline

from foundry.models.loading import WEIGHTS_DIR
from foundry.speech import Recogniser, load_recogniser, transcribe
from foundry.speech.audio import SAMPLE_RATE_HZ, open_audio
from foundry.speech.live import LiveState, listen
from foundry.speech.words import Word

MODEL = "wav2vec2-commands"
# Spoken by a synthesiser for the page's examples, and repeated with pauses.
_CLIPS = Path(__file__).parents[1] / "ui" / "clips"
_CLIP_NAMES = ("digits.flac", "commands.flac")
_PAUSE_S = 0.4
_LENGTHS_S = (5, 60, 1800)
_ROUNDS = 5
# As the pipeline's documentation suggests: half a minute, a sixth on either side is context.
_PIPELINE_CHUNK_S = 30
# How often the page's microphone sends, and how much is listened to.
_SEND_EVERY_S, _LIVE_S = 0.15, 60


def build_speech(duration_s: float) -> np.ndarray:
    """Repeat the example clips with pauses until there is enough.

    Args:
        duration_s: Length in seconds.

    Returns:
        Float32 (samples,) at 16 kHz.
    """
    pause = np.zeros(round(_PAUSE_S * SAMPLE_RATE_HZ), np.float32)
    clips = [soundfile.read(_CLIPS / name, dtype="float32")[0] for name in _CLIP_NAMES]
    once = np.concatenate([piece for clip in clips for piece in (clip, pause)])
    return np.resize(once, round(duration_s * SAMPLE_RATE_HZ))


def measure() -> dict[str, Any]:
    """Measure in interleaved rounds, so that a noisy machine slows both sides alike."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {length_s: Path(folder) / f"{length_s}.wav" for length_s in _LENGTHS_S}
        for length_s, path in paths.items():
            soundfile.write(path, build_speech(length_s), SAMPLE_RATE_HZ)
        return _measure_times(paths) | {
            f"peak_mb_{length_s}s": _peak_mb(paths[length_s]) for length_s in (60, 1800)
        }


def _measure_times(paths: dict[int, Path]) -> dict[str, float]:
    recogniser = load_recogniser(MODEL)
    run_pipeline = _build_pipeline()
    sides: dict[str, Callable[[], Any]] = {
        "rtf_5s": lambda: transcribe(recogniser, open_audio(paths[5])),
        "rtf_60s": lambda: transcribe(recogniser, open_audio(paths[60])),
        "pipeline_rtf_60s": lambda: run_pipeline(paths[60]),
    }
    for warm_up in sides.values():
        warm_up()
    times_s: dict[str, list[float]] = {name: [] for name in sides}
    for _ in tqdm(range(_ROUNDS), desc="interleaved rounds"):
        for name, call in sides.items():
            times_s[name].append(_seconds(call))
    figures = {
        name: statistics.median(times_s[name]) / (5 if name == "rtf_5s" else 60) for name in sides
    }
    figures["rtf_1800s"] = _seconds(lambda: transcribe(recogniser, open_audio(paths[1800]))) / 1800
    latencies_ms = _measure_live(recogniser)
    return figures | {
        "live_p50_ms": statistics.median(latencies_ms),
        "live_p95_ms": float(np.percentile(latencies_ms, 95)),
        "num_live_words": len(latencies_ms),
    }


def _seconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _build_pipeline() -> Callable[[Path], Any]:
    recognise: Any = pipeline(
        "automatic-speech-recognition", str(WEIGHTS_DIR / MODEL), device="cpu"
    )

    def run(path: Path) -> Any:
        # Read for it, because it would start ffmpeg.
        waveform, rate_hz = soundfile.read(path, dtype="float32")
        sound = {"raw": waveform, "sampling_rate": rate_hz}
        return recognise(sound, chunk_length_s=_PIPELINE_CHUNK_S)

    return run


def _measure_live(recogniser: Recogniser) -> list[float]:
    """Return, for every word, the milliseconds from its end to the first text that has it.

    As the page does it: the microphone looks every so often, and sends all that it has if the
    piece before was answered. The work is measured; the waiting follows from it.
    """
    waveform = build_speech(_LIVE_S)
    state, heard, now_s = LiveState(), 0, 0.0
    first_shown_s: dict[tuple[str, int], float] = {}
    while heard < len(waveform):
        now_s = (int(now_s / _SEND_EVERY_S) + 1) * _SEND_EVERY_S
        piece = waveform[heard : round(now_s * SAMPLE_RATE_HZ)]
        started = time.perf_counter()
        state = listen(recogniser, state, piece, SAMPLE_RATE_HZ)
        heard += len(piece)
        now_s += time.perf_counter() - started
        for word in (*_settled(state)[-20:], *state.partial):
            first_shown_s.setdefault(_key(word), now_s)
    return [max(0.0, 1000 * (first_shown_s[_key(w)] - w.end_s)) for w in _settled(state)]


def _settled(state: LiveState) -> list[Word]:
    return [word for sentence in (*state.sentences, state.settled) for word in sentence]


def _key(word: Word) -> tuple[str, int]:
    # The clips say no word twice within two seconds.
    return word.word, round((word.start_s + word.end_s) / 4)


def _peak_mb(path: Path) -> float:
    """Transcribe in a fresh process, so that nothing else counts, and return its peak in MB."""
    program = f"from foundry.benchmark.speech import print_peak; print_peak({str(path)!r})"
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(finished.stdout.split()[-1])


def print_peak(path: str) -> None:
    """Transcribe a file and print the most memory that this process ever held, in MB."""
    transcribe(load_recogniser(MODEL), open_audio(path))
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(kilobytes / (1024 * 1024 if sys.platform == "darwin" else 1024))


def report(figures: dict[str, Any]) -> str:
    """Return the figures in words."""
    ratio = figures["pipeline_rtf_60s"] / figures["rtf_60s"]
    return (
        "Real-time factor (seconds of work a second of speech): "
        f"{figures['rtf_5s']:.4f} on 5 s, {figures['rtf_60s']:.4f} on 60 s, "
        f"{figures['rtf_1800s']:.4f} on 30 min.\n"
        f"transformers' pipeline on 60 s: {figures['pipeline_rtf_60s']:.4f}, "
        f"{ratio:.2f} times as long.\n"
        f"Peak memory: {figures['peak_mb_60s']:.0f} MB on 60 s, "
        f"{figures['peak_mb_1800s']:.0f} MB on 30 min.\n"
        f"Live: text {figures['live_p50_ms']:.0f} ms after the end of a word, "
        f"p95 {figures['live_p95_ms']:.0f} ms ({figures['num_live_words']} words)."
    )
