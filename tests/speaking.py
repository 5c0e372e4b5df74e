"""Speech for the tests: the words of the page's example clips, cut out and put together anew."""

import shutil
from functools import lru_cache

import numpy as np
import pytest
import soundfile

from foundry.ui.components.clips import CLIPS

RATE_HZ = 16_000
DIGITS = ("seven", "three", "one", "four")
COMMANDS = ("yes", "stop", "go", "left", "right", "up", "down")
needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is optional")
# What of a word can be heard; softer is room.
_SHARE = 0.02
_SHORTEST_PAUSE_S = 0.08


@lru_cache
def words():
    """Return the waveform of every word, float32, without the silence around it."""
    found = {}
    for clip, spoken in (("digits", DIGITS), ("commands", COMMANDS)):
        waveform, rate_hz = soundfile.read(CLIPS / f"{clip}.flac", dtype="float32")
        assert rate_hz == RATE_HZ
        loud = np.flatnonzero(np.abs(waveform) > _SHARE * np.abs(waveform).max())
        cuts = np.flatnonzero(np.diff(loud) > _SHORTEST_PAUSE_S * RATE_HZ) + 1
        pieces = [waveform[part[0] : part[-1] + 1] for part in np.split(loud, cuts)]
        assert len(pieces) == len(spoken), [len(piece) for piece in pieces]
        found |= zip(spoken, pieces, strict=True)
    return found


def speak(text, pauses_s=0.25, noise=0.0, before_s=0.2):
    """Say words one after another.

    `pauses_s` is the silence after each word, one number or a sequence; returns the waveform and
    where each word begins and ends, in seconds.
    """
    spoken = text.split()
    pauses = np.broadcast_to(pauses_s, len(spoken))
    pieces, times, position = [np.zeros(round(before_s * RATE_HZ), np.float32)], [], before_s
    for word, pause_s in zip(spoken, pauses, strict=True):
        waveform = words()[word]
        times.append((position, position + len(waveform) / RATE_HZ))
        silence = np.zeros(round(pause_s * RATE_HZ), np.float32)
        pieces += [waveform, silence]
        position += (len(waveform) + len(silence)) / RATE_HZ
    waveform = np.concatenate(pieces)
    rng = np.random.default_rng(0)
    return waveform + noise * rng.standard_normal(len(waveform)).astype(np.float32), times


def write_wav(path, waveform, rate_hz=RATE_HZ, subtype="PCM_16"):
    soundfile.write(path, waveform, rate_hz, subtype=subtype)
    return path
