"""``python -m foundry.recipes.speech.doubts --data DIR --out DIR``: when the words are in doubt.

Writes ``doubts.json`` into the model's folder: how much each piece of evidence against a word
counts, learned from one half of the speakers that the model was never trained on, and the curve of
the other half.
"""

import argparse
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jiwer
import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from foundry.errors import in_a_sentence
from foundry.recipes.speech.data import augment
from foundry.recipes.speech.data.corpus import read_recording
from foundry.recipes.speech.data.unheard import TEST, TUNE, Utterance, choose_utterances
from foundry.speech import Recogniser, load_recogniser
from foundry.speech.chunks import Chunk
from foundry.speech.decoding.doubts import Doubts, Unit, write_doubts
from foundry.speech.decoding.evidence import CONTEXT, add_context
from foundry.speech.decoding.paths import BeamFinder, GreedyFinder, PathFinder
from foundry.speech.transcription import BEAM, GREEDY, compute_log_probs
from foundry.speech.words import Span

MODEL = "wav2vec2-commands"
_SEED = 0
# Words of its own that may be in doubt, and that may become "…": the thresholds are where so many
# of the tuning half are. Of the others 3% may be in doubt, so this leaves room for chance.
_DOUBTED_SHARE, _UNKNOWN_SHARE = 0.027, 0.003
# Confidence from which a word is taken for what was said.
SHOWN = 0.5
# The network that weighs the evidence: hidden units, how it learns, how many of it are averaged,
# and how often it is learned without a part of the words to find the thresholds on that part.
_NUM_UNITS = 6
_NUM_STEPS, _RATE, _DECAY = 1_000, 1e-2, 0.05
_NUM_NETWORKS = 3
_NUM_FOLDS = 4
# Thresholds of the curve beside the chosen one.
_CURVE = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01)


@dataclass(frozen=True)
class Heard:
    """What was found in an utterance by one decoding.

    Attributes:
        utterance: the utterance.
        spans: the words.
        evidence: float64 [words, EVIDENCE] against them.
        is_right: bool [words], whether they were said.
    """

    utterance: Utterance
    spans: list[Span]
    evidence: np.ndarray
    is_right: np.ndarray


def hear(
    recogniser: Recogniser, data_dir: Path, utterances: Sequence[Utterance]
) -> dict[str, list[Heard]]:
    """Recognise utterances in every decoding that the model has, without any doubt.

    Args:
        recogniser: the model, in any variant.
        data_dir: holds the corpora.
        utterances: from ``choose_utterances``.

    Returns:
        What was found, by decoding.
    """
    assert recogniser.beam
    rng = np.random.default_rng(_SEED)
    found: dict[str, list[Heard]] = {GREEDY: [], BEAM: []}
    for utterance in tqdm(utterances, desc="utterances"):
        pieces = [read_recording(data_dir, corpus, row) for corpus, row in utterance.clips]
        pauses_s = list(rng.uniform(0, rng.choice([0.1, 0.4]), len(pieces) + 1))
        waveform = pieces[0] if len(pieces) == 1 else augment.concatenate(pieces, pauses_s)
        chunk = Chunk(waveform, float(waveform.mean()), float(waveform.std()))
        log_probs = compute_log_probs(recogniser, chunk)
        finders: dict[str, PathFinder] = {
            GREEDY: GreedyFinder(recogniser.alphabet),
            BEAM: BeamFinder(recogniser.beam, recogniser.alphabet),
        }
        for decoding, finder in finders.items():
            finder.add(log_probs)
            spans = finder.finish()
            is_right = compare(utterance.text, [span.word for span in spans])
            found[decoding].append(Heard(utterance, spans, finder.evidence, is_right))
    return found


def compare(said: str, heard: Sequence[str]) -> np.ndarray:
    """Tell which words were said, bool [words], by the alignment with the fewest errors.

    Args:
        said: the reference.
        heard: the words that were found.
    """
    is_right = np.zeros(len(heard), bool)
    if said and len(heard):
        for part in jiwer.process_words(said, " ".join(heard)).alignments[0]:
            is_right[part.hyp_start_idx : part.hyp_end_idx] = part.type == "equal"
    return is_right


def fit_doubts(heard: Sequence[Heard], has_unknown: bool) -> Doubts:
    """Learn how much the evidence counts, by small networks, and where doubt begins.

    Args:
        heard: the tuning half.
        has_unknown: whether what is none of the model's words becomes "…".
    """
    told = [_choose(one) for one in heard]
    doubts = _learn(told)
    # Where a network has learned it is surer than elsewhere: the thresholds are of its other folds.
    own = []
    for fold in range(_NUM_FOLDS):
        rest = [one for number, one in enumerate(told) if number % _NUM_FOLDS != fold]
        judge = _learn(rest)
        own += [
            judge.estimate(one.spans, one.evidence)[one.is_right]
            for one in heard[fold::_NUM_FOLDS]
            if one.utterance.is_own
        ]
    doubtful, unknown = np.quantile(
        np.concatenate(own), [1 - _DOUBTED_SHARE, 1 - _UNKNOWN_SHARE]
    ).tolist()
    return dataclasses.replace(
        doubts,
        doubtful=round(doubtful, 5),
        unknown=round(unknown, 5) if has_unknown else None,
    )


def _choose(one: Heard) -> tuple[np.ndarray, np.ndarray]:
    """Return evidence and whether the word is wrong, for the words that are to be told apart."""
    sure = np.array([span.confidence >= SHOWN for span in one.spans], bool)
    # Its own words, and what of other English passes for a word.
    counts = one.is_right if one.utterance.is_own else ~one.is_right & sure
    return add_context(one.spans, one.evidence)[counts], ~one.is_right[counts]


def _learn(told: Sequence[tuple[np.ndarray, np.ndarray]]) -> Doubts:
    """Return the mean of several small networks, each a sum of a linear part and hidden units."""
    evidence = np.concatenate([rows for rows, _ in told])
    is_wrong = torch.tensor(np.concatenate([wrong for _, wrong in told])).float()
    mean, spread = evidence.mean(0), evidence.std(0) + 1e-9
    inputs = torch.tensor((evidence - mean) / spread).float()
    linear_part, bias, units = np.zeros(len(CONTEXT)), 0.0, []
    for number in range(_NUM_NETWORKS):
        torch.manual_seed(_SEED + number)
        linear, hidden = nn.Linear(len(CONTEXT), 1), nn.Linear(len(CONTEXT), _NUM_UNITS)
        out = nn.Linear(_NUM_UNITS, 1, bias=False)
        parameters = [*linear.parameters(), *hidden.parameters(), *out.parameters()]
        optimizer = torch.optim.AdamW(parameters, _RATE, weight_decay=_DECAY)
        for _ in range(_NUM_STEPS):
            odds = (linear(inputs) + out(torch.tanh(hidden(inputs)))).squeeze(1)
            optimizer.zero_grad()
            nn.functional.binary_cross_entropy_with_logits(odds, is_wrong).backward()
            optimizer.step()
        weights, offset = _unscale(linear, 0, mean, spread)
        linear_part, bias = linear_part + weights / _NUM_NETWORKS, bias + offset / _NUM_NETWORKS
        for row, factor in enumerate(out.weight[0].tolist()):
            weights, offset = _unscale(hidden, row, mean, spread)
            units.append(Unit(_name(weights), round(offset, 4), round(factor / _NUM_NETWORKS, 4)))
    return Doubts(_name(linear_part), round(bias, 4), 1.0, units=tuple(units))


def _unscale(
    layer: nn.Linear, row: int, mean: np.ndarray, spread: np.ndarray
) -> tuple[np.ndarray, float]:
    weights = layer.weight[row].detach().double().numpy() / spread
    return weights, layer.bias[row].item() - float(weights @ mean)


def _name(weights: np.ndarray) -> dict[str, float]:
    return {name: round(one, 4) for name, one in zip(CONTEXT, weights.tolist(), strict=True)}


@dataclass(frozen=True)
class Trust:
    """What undoubted words are worth.

    Attributes:
        shown: words of free English with at least ``SHOWN`` confidence and no doubt.
        wrong: how many of them were not said.
        own_right: words of its own that were heard right.
        own_kept: how many of them are not in doubt.
        own_unknown: how many of them became "…".
    """

    shown: int
    wrong: int
    own_right: int
    own_kept: int
    own_unknown: int

    @property
    def wrong_share(self) -> float:
        """Wrong ones among the words of free English that are shown without doubt."""
        return self.wrong / max(1, self.shown)

    @property
    def kept_share(self) -> float:
        """Own words that stay without doubt."""
        return self.own_kept / max(1, self.own_right)


def measure_trust(heard: Sequence[Heard], doubts: Doubts) -> Trust:
    """Count what is shown without doubt.

    Args:
        heard: from ``hear``.
        doubts: when words are in doubt.
    """
    counts = np.zeros(5, int)
    for one in heard:
        if not one.spans:
            continue
        doubt = doubts.estimate(one.spans, one.evidence)
        trusted = doubt < doubts.doubtful
        if one.utterance.is_own:
            right = one.is_right
            unknown = right & (doubt >= (doubts.unknown or np.inf))
            counts[2:] += right.sum(), (right & trusted).sum(), unknown.sum()
        else:
            sure = np.array([span.confidence >= SHOWN for span in one.spans])
            shown = trusted & sure
            counts[:2] += shown.sum(), (shown & ~one.is_right).sum()
    return Trust(*counts.tolist())


def draw_curve(heard: Sequence[Heard], doubts: Doubts) -> str:
    """Return a table: what is shown at several thresholds.

    Args:
        heard: from ``hear``.
        doubts: its weights count.
    """
    lines = ["| in doubt from | free English shown | of these wrong | own words kept |"]
    lines.append("|---|---|---|---|")
    for doubtful in sorted({*_CURVE, doubts.doubtful}):
        trust = measure_trust(heard, dataclasses.replace(doubts, doubtful=doubtful))
        mark = "**" if doubtful == doubts.doubtful else ""
        lines.append(
            f"| {mark}{doubtful:.3f}{mark} | {trust.shown} | {trust.wrong_share:.1%} | "
            f"{trust.kept_share:.1%} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(prog="python -m foundry.recipes.speech.doubts")
    parser.add_argument("--data", type=Path, required=True, help="holds speech/")
    parser.add_argument("--out", type=Path, required=True, help="the model's folder")
    options = parser.parse_args()
    with in_a_sentence(parser):
        recogniser, data_dir = load_recogniser(MODEL), options.data / "speech"
        tuned = hear(recogniser, data_dir, choose_utterances(data_dir, TUNE))
        doubts = {one: fit_doubts(heard, one == BEAM) for one, heard in tuned.items()}
        write_doubts(doubts, options.out)
        tested = hear(recogniser, data_dir, choose_utterances(data_dir, TEST))
        for decoding, heard in tested.items():
            print(f"{decoding}:\n{draw_curve(heard, doubts[decoding])}\n")


if __name__ == "__main__":
    main()
