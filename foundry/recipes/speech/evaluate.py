"""Held-out sets and how well they are recognised."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import jiwer
import numpy as np
import torch
from transformers import Wav2Vec2ForCTC

from foundry.recipes.speech.batches import collate
from foundry.recipes.speech.data import augment
from foundry.recipes.speech.data.corpus import (
    SAMPLE_RATE_HZ,
    Clip,
    Recordings,
    is_digit_string,
)
from foundry.recipes.speech.model import ALPHABET, CHARACTERS, count_frames
from foundry.speech.decoding.beam import BeamDecoder
from foundry.speech.decoding.paths import BeamFinder, GreedyFinder

Utterance = tuple[np.ndarray, str]
# By corpus: single digits that are strung together, and sets that are named for what they are.
STRUNG_SETS = {"fsdd": "digit_strings", "heidelberg_digits": "studio_strings"}
SET_NAMES = {"speech_commands": "words", "speechocean762": "read"}


def build_dev_sets(store: Recordings, dev: Sequence[Clip], seed: int) -> dict[str, list[Utterance]]:
    """Arrange held-out clips as they are to be judged.

    Args:
        store: where the clips are.
        dev: held-out clips.
        seed: decides the digit strings, their pauses and the wordless sounds.

    Returns:
        (float32 waveform [samples], reference) by set: "digit_strings" and "studio_strings" (1 to 8
        digits by one speaker, every clip once, of FSDD and of a studio), "spoken_strings" (said as
        a whole, by non-native speakers), "words" (Speech Commands), "wuw", "dctts", "grid_s1",
        "read" (sentences by non-native speakers), "keywords", and "wordless" (noise, silence,
        music).
    """
    rng = np.random.default_rng(seed)
    sets: dict[str, list[Utterance]] = defaultdict(list)
    digits: dict[str, dict[str, list[Clip]]] = defaultdict(lambda: defaultdict(list))
    for clip in dev:
        if clip.corpus in STRUNG_SETS:
            digits[STRUNG_SETS[clip.corpus]][clip.speaker].append(clip)
        elif SET_NAMES.get(clip.corpus) == "read" and is_digit_string(clip.text):
            sets["spoken_strings"].append((store.waveform(clip), clip.text))
        else:
            name = SET_NAMES.get(clip.corpus, clip.corpus)
            sets[name].append((store.waveform(clip), clip.text))
    for name, speakers in digits.items():
        for own in speakers.values():
            sets[name] += _string_together(store, own, rng)
    for kind in augment.NOISE_KINDS * 6:
        noise = augment.build_noise(kind, int(rng.uniform(1, 6) * SAMPLE_RATE_HZ), rng)
        sets["wordless"].append((noise * np.float32(rng.uniform(0.001, 0.2)), ""))
    sets["wordless"].append((np.zeros(2 * SAMPLE_RATE_HZ, np.float32), ""))
    return dict(sets)


def _string_together(
    store: Recordings, clips: Sequence[Clip], rng: np.random.Generator
) -> Iterator[Utterance]:
    left = [clips[index] for index in rng.permutation(len(clips))]
    while left:
        size = int(rng.integers(1, 9))
        string, left = left[:size], left[size:]
        pauses_s = list(rng.uniform(0, rng.choice([0.1, 0.4]), len(string) + 1))
        waveform = augment.concatenate([store.waveform(clip) for clip in string], pauses_s)
        yield waveform, " ".join(clip.text for clip in string)


@torch.no_grad()
def compute_log_probs(
    model: Wav2Vec2ForCTC, waveforms: Sequence[np.ndarray], batch_s: float = 60.0
) -> list[np.ndarray]:
    """Run the model over utterances of any length.

    Args:
        model: in any mode; put into evaluation mode.
        waveforms: float32 arrays [samples] at 16 kHz.
        batch_s: audio in a batch, in seconds.

    Returns:
        float32 log-probabilities [frames, characters], in the order of ``waveforms``.
    """
    model.eval()
    results: list[np.ndarray] = [np.zeros((0, len(CHARACTERS)), np.float32)] * len(waveforms)
    pending = sorted(range(len(waveforms)), key=lambda index: -len(waveforms[index]))
    while pending:
        longest = max(1, len(waveforms[pending[0]]))
        size = max(1, int(batch_s * SAMPLE_RATE_HZ / longest))
        chosen, pending = pending[:size], pending[size:]
        batch = collate([(waveforms[index], []) for index in chosen])
        logits = model(batch.input_values, attention_mask=batch.attention_mask).logits
        log_probs = logits.float().log_softmax(-1)
        lengths = count_frames(model, batch.attention_mask.sum(1))
        for row, index in enumerate(chosen):
            results[index] = log_probs[row, : int(lengths[row])].numpy()
    return results


def decode(log_probs: np.ndarray, decoder: BeamDecoder | None = None) -> str:
    """Turn one utterance into text as the app does.

    Args:
        log_probs: float32 [frames, characters].
        decoder: beam search, or None for the best path.

    Returns:
        Words with single spaces between them.
    """
    finder = BeamFinder(decoder, ALPHABET) if decoder else GreedyFinder(ALPHABET)
    finder.add(log_probs)
    return " ".join(span.word for span in finder.finish())


def score(references: Sequence[str], hypotheses: Sequence[str]) -> dict[str, float]:
    """Compare transcripts with references.

    Args:
        references: what was said; empty where nobody spoke.
        hypotheses: what was recognised.

    Returns:
        "utterances", "exact" (share recognised without any error) and, over the references that
        have words, "wer" and "cer" (errors a reference word and character; can exceed 1).
    """
    pairs = list(zip(references, hypotheses, strict=True))
    figures = {
        "utterances": float(len(pairs)),
        "exact": float(np.mean([reference == hypothesis for reference, hypothesis in pairs])),
    }
    spoken = [pair for pair in pairs if pair[0]]
    if spoken:
        said, heard = [pair[0] for pair in spoken], [pair[1] for pair in spoken]
        figures["wer"] = float(jiwer.wer(said, heard))
        figures["cer"] = float(jiwer.cer(said, heard))
    return figures


def evaluate(
    model: Wav2Vec2ForCTC,
    dev_sets: dict[str, list[Utterance]],
    decoder: BeamDecoder | None = None,
) -> dict[str, dict[str, float]]:
    """Score every held-out set.

    Args:
        model: put into evaluation mode.
        dev_sets: from ``build_dev_sets``.
        decoder: beam search, or None for greedy decoding.

    Returns:
        The figures of ``score`` by set.
    """
    figures = {}
    for name, utterances in dev_sets.items():
        log_probs = compute_log_probs(model, [waveform for waveform, _ in utterances])
        hypotheses = [decode(frames, decoder) for frames in log_probs]
        figures[name] = score([text for _, text in utterances], hypotheses)
    return figures
