"""When the words of the speech recipe's model are in doubt: learned from what was heard."""

import numpy as np
import pytest

from foundry.recipes.speech import doubts as recipe
from foundry.recipes.speech.data.unheard import Utterance
from foundry.recipes.speech.doubts import Heard, compare, fit_doubts, measure_trust
from foundry.speech.decoding.evidence import EVIDENCE
from foundry.speech.words import Span


def hear(seed: int, num_words: int) -> list[Heard]:
    """Words that are wrong where one of two pieces of evidence is large, but not where both are."""
    rng = np.random.default_rng(seed)
    heard = []
    for number in range(num_words):
        is_own = number % 4 < 2
        one, other = rng.choice([0.1, 0.9], 2) + rng.uniform(-0.1, 0.1, 2)
        if is_own == ((one > 0.5) != (other > 0.5)):
            other = 1 - other
        row = np.zeros((1, len(EVIDENCE)))
        row[0, [EVIDENCE.index("unsure"), EVIDENCE.index("undecided")]] = one, other
        utterance = Utterance("fsdd" if is_own else "wuw", "go", ())
        heard.append(Heard(utterance, [Span("go", 0, 5, 0.9)], row, np.array([is_own])))
    return heard


def test_evidence_that_counts_only_together_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    # Enough for two pieces of evidence.
    monkeypatch.setattr(recipe, "_NUM_NETWORKS", 1)
    monkeypatch.setattr(recipe, "_NUM_FOLDS", 2)
    doubts = fit_doubts(hear(0, 600), has_unknown=True)
    trust = measure_trust(hear(1, 600), doubts)
    # No sum of the two tells these apart: half of the others would be shown.
    assert trust.kept_share > 0.95
    assert trust.shown < 0.15 * 300
    assert doubts.unknown is not None and doubts.unknown >= doubts.doubtful


def test_words_are_compared_in_order() -> None:
    assert compare("one two three", ["one", "three"]).tolist() == [True, True]
    assert compare("one two", ["two", "two"]).tolist() == [False, True]
    assert compare("", ["one"]).tolist() == [False]
