"""Make the speech that int8 is calibrated on: `python -m foundry.recipes.calibration`.

Needs espeak-ng, flite and festival. The texts beside it were written for this project.
"""

import argparse
from pathlib import Path

import numpy as np
import soundfile

from foundry.models.calibration import CLIP_S, SPEECH_FILE
from foundry.recipes.speech.data.augment import NOISE_KINDS, add_noise, build_noise, normalise_level
from foundry.recipes.speech.data.corpus import DIGITS, SAMPLE_RATE_HZ
from foundry.recipes.speech.data.synthesis import plan_sentences, synthesise

_WORDS = (
    *("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go", "backward", "bed"),
    *("bird", "cat", "dog", "follow", "forward", "happy", "house", "learn", "marvin", "sheila"),
    *("tree", "visual", "wow"),
)
_NUM_CLIPS = 24
_LEVELS_DB, _SNRS_DB = (-35.0, -12.0), (5.0, 40.0)


def build_clips(seed: int = 0) -> np.ndarray:
    """Speak digits and words by many voices, over noise of several kinds and levels.

    Args:
        seed: Decides texts, voices and noise.

    Returns:
        Float32 (samples,): clips of `CLIP_S` seconds, one after another.
    """
    rng = np.random.default_rng(seed)
    texts = [
        " ".join(rng.choice(DIGITS if index % 2 else _WORDS, size=int(rng.integers(1, 5))))
        for index in range(_NUM_CLIPS)
    ]
    size, clips = round(CLIP_S * SAMPLE_RATE_HZ), []
    for _, _, _, spoken in synthesise(plan_sentences(texts, _NUM_CLIPS, 80, seed)):
        start = int(rng.integers(0, max(1, size - len(spoken))))
        clip = np.zeros(size, np.float32)
        clip[start : start + len(spoken)] = spoken[: size - start]
        noise = build_noise(str(rng.choice(NOISE_KINDS)), size, rng)
        noisy = add_noise(clip, noise, float(rng.uniform(*_SNRS_DB)))
        clips.append(normalise_level(noisy, float(rng.uniform(*_LEVELS_DB))))
    return np.clip(np.concatenate(clips), -1, 1)


def main() -> None:
    """Write the clips as one compressed file."""
    parser = argparse.ArgumentParser(
        prog="python -m foundry.recipes.calibration", description=__doc__
    )
    parser.add_argument("--out", type=Path, default=SPEECH_FILE, help="file to write")
    parser.add_argument(
        "--seed", type=int, default=0, help="0: the calibration; 1: foundry/data/samples"
    )
    args = parser.parse_args()
    soundfile.write(
        args.out, build_clips(args.seed), SAMPLE_RATE_HZ, format="OGG", subtype="VORBIS"
    )
    print(f"wrote {args.out}, {args.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
