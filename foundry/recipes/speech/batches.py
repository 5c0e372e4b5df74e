"""Training batches: which clips, put together how, as a function of the seed and the step only."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset

from foundry.recipes.speech.data import augment
from foundry.recipes.speech.data.corpus import (
    DIGITS,
    SAMPLE_RATE_HZ,
    Clip,
    ClipStore,
    is_digit_string,
)
from foundry.recipes.speech.model import encode_text

Source = tuple[ClipStore, Clip]
NOISE_BANK_S = 20
# Every new shape costs the matrix library a compilation and memory that it keeps.
PADDED_SAMPLES = SAMPLE_RATE_HZ // 4
# First step, seconds of audio in a batch, and the share of the batches that are words, strings,
# recorded sentences, synthetic sentences. Small batches serve best while everything is still wrong.
STAGES = (
    (0, 20.0, (1.0, 0.0, 0.0, 0.0)),
    (1_000, 24.0, (0.6, 0.4, 0.0, 0.0)),
    (2_500, 36.0, (0.32, 0.36, 0.16, 0.16)),
    (22_500, 48.0, (0.30, 0.46, 0.14, 0.10)),
    (27_000, 48.0, (0.24, 0.38, 0.30, 0.08)),
)
# Share of the strings of digits that somebody said as a whole, where there are any.
RECORDED_SHARE = 0.15
# Share of the words whose weak first and last sounds a recorder has cut off.
GATED_SHARE = 0.3


@dataclass(frozen=True)
class Batch:
    """Padded utterances with their labels.

    Attributes:
        input_values: float32 [batch, samples], zero mean and unit variance, zero-padded.
        attention_mask: int64 [batch, samples], 1 where there is sound.
        labels: int64 [total label length], all transcripts one after another.
        label_lengths: int64 [batch].
    """

    input_values: torch.Tensor
    attention_mask: torch.Tensor
    labels: torch.Tensor
    label_lengths: torch.Tensor

    def take(self, rows: slice) -> "Batch":
        """Return some of the utterances, padded as before."""
        labels = self.labels.split(self.label_lengths.tolist())
        return Batch(
            self.input_values[rows],
            self.attention_mask[rows],
            torch.cat(labels[rows]),
            self.label_lengths[rows],
        )


class BatchSource(Dataset[Batch]):
    """Batches by step number, so that a resumed training goes on with the same data."""

    def __init__(
        self, recordings: Sequence[Source], synthetic: Sequence[Source], seed: int, scale: float = 1
    ) -> None:
        """Index the clips.

        Args:
            recordings: people.
            synthetic: voices of synthesisers; may be empty.
            seed: decides every draw.
            scale: of the batches relative to those of ``STAGES``.

        Raises:
            ValueError: if no recording is a single word.
        """
        self.seed = seed
        self.scale = scale
        self.words = _by_word_and_corpus(recordings)
        self.synthetic_words = _by_word_and_corpus(synthetic)
        if not self.words:
            raise ValueError("no recording is a single word")
        self._odds = {
            (real, digit): _weigh_words(self.words if real else self.synthetic_words, digit)
            for real in (True, False)
            for digit in (True, False, None)
        }
        self.speakers: dict[str, list[Source]] = defaultdict(list)
        for source in (*recordings, *synthetic):
            if _is_word(source[1]):
                self.speakers[source[1].speaker].append(source)
        self.digit_strings = [source for source in recordings if is_digit_string(source[1].text)]
        self.sentences = _by_length(recordings)
        self.synthetic_sentences = _by_length(synthetic)
        self.noises = self._build_noises(recordings)

    def __len__(self) -> int:
        """Return a number of steps that no training reaches."""
        return 1 << 40

    def __getitem__(self, step: int) -> Batch:
        """Make the batch of one step.

        Args:
            step: >= 0.

        Returns:
            Utterances of one kind and of similar length.
        """
        rng = np.random.default_rng([self.seed, step])
        _, batch_s, shares = next(stage for stage in reversed(STAGES) if step >= stage[0])
        batch_s *= self.scale
        kind = rng.choice(4, p=shares)
        if kind > 1 and not (self.sentences, self.synthetic_sentences)[kind - 2]:
            kind = 0
        if kind == 0:
            draws = [self._draw_string(rng, 1) for _ in range(round(1.5 * batch_s))]
        elif kind == 1:
            num_words = int(rng.integers(2, 5 if step < STAGES[2][0] else 9))
            count = max(3, round(1.5 * batch_s / (0.75 * num_words + 0.4)))
            draws = [self._draw_string(rng, num_words) for _ in range(count)]
        else:
            draws = self._draw_sentences(rng, batch_s, recorded=bool(kind == 2))
        chosen = self._choose_similar(draws, batch_s, rng)
        return collate([self._finish(waveform, text, rng) for waveform, text in chosen])

    def _choose_similar(
        self, draws: list[tuple[np.ndarray, str]], batch_s: float, rng: np.random.Generator
    ) -> list[tuple[np.ndarray, str]]:
        """Neighbours by length that fill one batch: padding costs as much as speech."""
        draws = sorted(draws, key=lambda draw: len(draw[0]))
        budget = batch_s * SAMPLE_RATE_HZ
        first = last = int(rng.integers(len(draws)))
        while first > 0 and (last - first + 2) * _pad_length(len(draws[last][0])) <= budget:
            first -= 1
        while (
            last + 1 < len(draws)
            and (last - first + 2) * _pad_length(len(draws[last + 1][0])) <= budget
        ):
            last += 1
        return draws[first : last + 1]

    def _draw_word(self, rng: np.random.Generator, digit: bool | None) -> Source:
        real = not self.synthetic_words or rng.random() < (0.5 if digit else 0.75)
        names, odds = self._odds[real, digit]
        table = self.words if real else self.synthetic_words
        corpora = table[names[rng.choice(len(names), p=odds)]]
        # Each corpus of a word counts the same: the few recordings of a digit by many speakers
        # weigh as much as the many by few.
        members = corpora[list(corpora)[rng.integers(len(corpora))]]
        return members[rng.integers(len(members))]

    def _draw_string(self, rng: np.random.Generator, num_words: int) -> tuple[np.ndarray, str]:
        """Words by one speaker or several, at one tempo; a single word keeps its surroundings."""
        if num_words == 1:
            sources = [self._draw_word(rng, digit=True if rng.random() < 0.4 else None)]
        elif self.digit_strings and rng.random() < RECORDED_SHARE:
            sources = [self.digit_strings[rng.integers(len(self.digit_strings))]]
        elif rng.random() < 0.45:
            many = [own for own in self.speakers.values() if len(own) >= 30]
            many = many or list(self.speakers.values())
            own = many[rng.integers(len(many))]
            sources = [own[rng.integers(len(own))] for _ in range(num_words)]
        else:
            digit = (True, False, None)[rng.choice(3, p=[0.65, 0.2, 0.15])]
            sources = [self._draw_word(rng, digit) for _ in range(num_words)]
        tempo = float(np.exp(rng.uniform(-0.25, 0.25)))
        pieces = []
        for store, clip in sources:
            piece = augment.change_speed(store.waveform(clip), tempo * rng.uniform(0.94, 1.06))
            if rng.random() < GATED_SHARE:
                piece = augment.trim_silence(piece, 0.0, rng.uniform(12, 30))
            elif num_words > 1 or rng.random() < 0.3:
                piece = augment.trim_silence(piece, rng.uniform(0.03, 0.15))
            pieces.append(augment.normalise_level(piece, rng.uniform(-26, -20)))
        pauses_s = rng.uniform(0, rng.choice([0.05, 0.25, 0.6]), len(sources) + 1)
        pauses_s[[0, -1]] = rng.uniform(0, 0.3, 2)
        text = " ".join(clip.text for _, clip in sources)
        return augment.concatenate(pieces, list(pauses_s)), text

    def _draw_sentences(
        self, rng: np.random.Generator, batch_s: float, recorded: bool
    ) -> list[tuple[np.ndarray, str]]:
        """Sentences of similar length: neighbours in the list sorted by duration."""
        ordered = self.sentences if recorded else self.synthetic_sentences
        centre = int(rng.integers(len(ordered)))
        count = max(2, int(batch_s / (ordered[centre][1].duration_s * 1.1 + 0.2)))
        draws = []
        for store, clip in ordered[max(0, centre - count) : centre + count]:
            tempo = float(np.exp(rng.uniform(-0.2, 0.2)))
            waveform = augment.change_speed(store.waveform(clip), tempo)
            pauses_s = list(rng.uniform(0, 0.2, 2))
            draws.append((augment.concatenate([waveform], pauses_s), clip.text))
        return draws

    def _finish(
        self, waveform: np.ndarray, text: str, rng: np.random.Generator
    ) -> tuple[np.ndarray, list[int]]:
        if rng.random() < 0.03:
            return self._draw_wordless(len(waveform), rng), []
        waveform = augment.normalise_level(waveform, -23)
        waveform = augment.change_channel(waveform, rng)
        if rng.random() < 0.6:
            noise = self._crop_noise(len(waveform), rng, speech=True)
            waveform = augment.add_noise(waveform, noise, rng.uniform(2, 30))
        # Digital silence does not occur in front of a microphone.
        floor = rng.standard_normal(len(waveform), dtype=np.float32)
        waveform = augment.add_noise(waveform, floor, rng.uniform(35, 60))
        if rng.random() < 0.05:
            limit = np.quantile(np.abs(waveform), rng.uniform(0.9, 0.99))
            waveform = np.clip(waveform, -limit, limit)
        return waveform, encode_text(text)

    def _draw_wordless(self, num_samples: int, rng: np.random.Generator) -> np.ndarray:
        if rng.random() < 0.15:
            return np.zeros(num_samples, np.float32)
        noise = self._crop_noise(num_samples, rng, speech=False)
        return augment.change_channel(noise, rng)

    def _crop_noise(self, num_samples: int, rng: np.random.Generator, speech: bool) -> np.ndarray:
        bank = self.noises if speech else self.noises[:-1]
        noise = bank[rng.integers(len(bank))]
        start = int(rng.integers(len(noise)))
        return np.take(noise, np.arange(start, start + num_samples), mode="wrap")

    def _build_noises(self, recordings: Sequence[Source]) -> list[np.ndarray]:
        """Several of each kind, and last a murmur of several speakers."""
        rng = np.random.default_rng([self.seed, 1 << 40])
        length = NOISE_BANK_S * SAMPLE_RATE_HZ
        noises = [augment.build_noise(kind, length, rng) for kind in augment.NOISE_KINDS * 4]
        murmur = np.zeros(length, np.float32)
        for _ in range(6):
            filled = 0
            while filled < length:
                store, clip = recordings[int(rng.integers(len(recordings)))]
                voice = augment.normalise_level(store.waveform(clip), -20)[: length - filled]
                murmur[filled : filled + len(voice)] += voice
                filled += max(1, len(voice))
        return [*noises, murmur]


def collate(items: Sequence[tuple[np.ndarray, list[int]]]) -> Batch:
    """Normalise and pad as the model's feature extractor does.

    Args:
        items: (float32 waveform [samples], label ids).

    Returns:
        One batch.

    Source:
        ``Wav2Vec2FeatureExtractor.zero_mean_unit_var_norm``
    """
    longest = _pad_length(max(len(waveform) for waveform, _ in items))
    values = torch.zeros(len(items), longest)
    mask = torch.zeros(len(items), longest, dtype=torch.long)
    for row, (waveform, _) in enumerate(items):
        normed = (waveform - waveform.mean()) / np.sqrt(waveform.var() + 1e-7)
        values[row, : len(waveform)] = torch.from_numpy(normed.astype(np.float32))
        mask[row, : len(waveform)] = 1
    labels = torch.tensor([label for _, own in items for label in own], dtype=torch.long)
    lengths = torch.tensor([len(own) for _, own in items], dtype=torch.long)
    return Batch(values, mask, labels, lengths)


def _pad_length(num_samples: int) -> int:
    return max(1, -(-num_samples // PADDED_SAMPLES)) * PADDED_SAMPLES


def _is_word(clip: Clip) -> bool:
    return bool(clip.text) and " " not in clip.text


def _by_word_and_corpus(sources: Sequence[Source]) -> dict[str, dict[str, list[Source]]]:
    table: dict[str, dict[str, list[Source]]] = defaultdict(lambda: defaultdict(list))
    for source in sources:
        if _is_word(source[1]):
            table[source[1].text][source[1].corpus].append(source)
    return {word: dict(corpora) for word, corpora in table.items()}


def _weigh_words(
    table: dict[str, dict[str, list[Source]]], digit: bool | None
) -> tuple[list[str], np.ndarray]:
    """Return words and how often each is drawn: the more recordings, the more often."""
    names = [name for name in table if digit in (None, name in DIGITS)] or list(table)
    sizes = np.array([sum(map(len, table[name].values())) for name in names]) ** 0.6
    return names, sizes / sizes.sum()


def _by_length(sources: Sequence[Source]) -> list[Source]:
    several = (source for source in sources if " " in source[1].text)
    return sorted(several, key=lambda source: source[1].length)
