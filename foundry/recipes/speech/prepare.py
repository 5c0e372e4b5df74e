"""Everything the training reads, made once and kept: decoded recordings and synthetic speech."""

from dataclasses import dataclass
from pathlib import Path

from foundry.recipes.speech.batches import Source
from foundry.recipes.speech.data.accents import plan_held_out_voices, plan_voices
from foundry.recipes.speech.data.corpus import (
    Clip,
    ClipStore,
    iter_recordings,
    split_by_speaker,
    write_store,
)
from foundry.recipes.speech.data.synthesis import (
    plan_other_words,
    plan_sentences,
    plan_words,
    synthesise,
)

PROMPTS = Path("text") / "ljspeech_prompts.txt"
WORD_CORPORA = ("fsdd", "speech_commands")
MAX_PROMPT_CHARACTERS = 90
NUM_OTHER_WORDS = 3_000


@dataclass(frozen=True)
class Material:
    """What there is to learn from.

    Attributes:
        recordings: the store of all recordings.
        train: recorded training clips.
        dev: held-out clips.
        synthetic: clips of the synthesisers.
        accents: held-out clips of digits with foreign accents, by synthesisers.
        sentences: training transcripts and prompts, for the language model.
    """

    recordings: ClipStore
    train: list[Clip]
    dev: list[Clip]
    synthetic: list[Source]
    accents: list[Source]
    sentences: list[str]


def load_material(data_dir: Path, cache: Path) -> Material:
    """Decode and synthesise what is not in the cache yet, and split by speaker.

    Args:
        data_dir: holds ``speech/`` with the corpora, and ``text/ljspeech_prompts.txt``.
        cache: about 2 GB are written here.

    Returns:
        Training and held-out material. No prompt is among the held-out sentences.

    Raises:
        FileNotFoundError: if the corpora, the prompts or a synthesiser are missing.
    """
    if not _is_complete(cache / "recordings"):
        write_store(cache / "recordings", iter_recordings(data_dir / "speech"))
    recordings = ClipStore(cache / "recordings")
    train, dev = split_by_speaker(recordings.clips)
    held_out = {clip.text for clip in dev if " " in clip.text}
    prompts = (data_dir / PROMPTS).read_text("utf-8").splitlines()
    prompts = [prompt for prompt in map(str.strip, prompts) if prompt not in held_out]
    words = sorted({clip.text for clip in train if clip.corpus in WORD_CORPORA})
    if not _is_complete(cache / "synthetic_words"):
        write_store(cache / "synthetic_words", synthesise(plan_words(words, seed=1)))
    if not _is_complete(cache / "voices"):
        write_store(cache / "voices", synthesise(plan_voices(words, seed=4)))
    if not _is_complete(cache / "synthetic_sentences"):
        spoken = [clip.text for clip in train if clip.corpus == "wuw" and " " in clip.text]
        jobs = plan_sentences(prompts, 3_000, MAX_PROMPT_CHARACTERS, seed=2)
        jobs += plan_sentences(spoken, 600, MAX_PROMPT_CHARACTERS, seed=3)
        write_store(cache / "synthetic_sentences", synthesise(jobs))
    if not _is_complete(cache / "other_words"):
        said = prompts + [clip.text for clip in train]
        jobs = plan_other_words(said, words, NUM_OTHER_WORDS, seed=6)
        write_store(cache / "other_words", synthesise(jobs))
    if not _is_complete(cache / "accents"):
        write_store(cache / "accents", synthesise(plan_held_out_voices(seed=5)))
    synthetic: list[Source] = []
    for name in ("synthetic_words", "synthetic_sentences", "voices", "other_words"):
        store = ClipStore(cache / name)
        synthetic += [(store, clip) for clip in store.clips]
    held_out_voices = ClipStore(cache / "accents")
    accents = [(held_out_voices, clip) for clip in held_out_voices.clips]
    sentences = [clip.text for clip in train if clip.text] + prompts
    return Material(recordings, train, dev, synthetic, accents, sentences)


def _is_complete(folder: Path) -> bool:
    return (folder / "clips.jsonl").exists()
