"""What the speech recipe reads, made in a moment: noise that is said to be words."""

from pathlib import Path

import numpy as np

from foundry.recipes.speech.corpus import SAMPLE_RATE_HZ, write_store


def write_tiny_material(data_dir: Path, out: Path) -> None:
    """Write every store of the recipe's cache, and the prompts."""
    rng = np.random.default_rng(0)
    clips = [
        (corpus, f"{corpus} {n % 4}", text, rng.normal(0, 0.1, SAMPLE_RATE_HZ // 4))
        for n in range(8)
        for corpus, text in (("fsdd", "one"), ("speech_commands", "two"), ("wuw", "go one"))
    ]
    clips = [(*names, wave.astype(np.float32)) for *names, wave in clips]
    for name in ("recordings", "synthetic_words", "synthetic_sentences", "voices", "accents"):
        write_store(out / "cache" / name, clips)
    (data_dir / "text").mkdir()
    (data_dir / "text" / "ljspeech_prompts.txt").write_text("go two\n" * 10)
