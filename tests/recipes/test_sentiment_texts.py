"""Texts for the sentiment recipe: other spellings, other names, rules, probes, figures."""

import random
import re
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_bert import tiny_vocab
from transformers import BertTokenizerFast

from foundry.recipes.sentiment.data.batches import DrawConfig, draw_batches, draw_examples
from foundry.recipes.sentiment.data.corpus import (
    NEGATIVE,
    NEUTRAL,
    PHRASES,
    POSITIVE,
    SST2,
    TWEETS,
    Example,
)
from foundry.recipes.sentiment.data.probes import list_denials, list_sentences_by_name
from foundry.recipes.sentiment.data.rules import WORDS, draw_pair
from foundry.recipes.sentiment.data.spelling import respell, swap_names, vary
from foundry.recipes.sentiment.evaluation import align, measure_domains, measure_probes


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.integers(0, 999))
def test_a_spelling_has_the_same_letters(text: str, seed: int) -> None:
    def letters(text: str) -> list[str]:
        # Brackets of the treebank are words.
        return re.findall(r"[^\W_]", re.sub(r"-[lr][rs]b-", "", text))

    assert letters(respell(text, random.Random(seed))) == letters(text)


def test_names_are_swapped_alike_and_nothing_else_is() -> None:
    text = "Anna of Peru met a French tailor ; anna will hope for Anna ."
    swapped = swap_names(text, random.Random(1))
    words = dict(zip(text.split(), swapped.split(), strict=True))
    assert words["Anna"] in WORDS["first_names"] and words["anna"] == words["Anna"].lower()
    assert words["Peru"] in WORDS["countries"] and words["French"] in WORDS["nationalities"]
    # First names that are words as well are left alone.
    same = set(text.split()) - {"Anna", "anna", "Peru", "French"}
    assert all(words[word] == word for word in same)


def test_nothing_varied_becomes_nothing() -> None:
    for seed in range(200):
        assert vary(".", random.Random(seed))


def test_texts_by_rule_deny_what_they_say() -> None:
    rng = random.Random(0)
    drawn = [draw_pair(rng) for _ in range(20_000)]
    labels = Counter(example.label for example, _ in drawn)
    assert set(labels) == {NEGATIVE, NEUTRAL, POSITIVE}
    assert 0.8 < labels[NEGATIVE] / labels[POSITIVE] < 1.25
    said = {example.text.rstrip(" .!"): example.label for example, _ in drawn}
    adjectives = {word: POSITIVE for word in WORDS["positive"]["adjectives"]}
    adjectives |= {word: NEGATIVE for word in WORDS["negative"]["adjectives"]}
    checked = Counter()
    for text, label in said.items():
        found = re.fullmatch(
            r"the \w+ (is|was|seems|isn't|wasn't|was not|is never|was never) (.+)", text
        )
        if found and found[2] in adjectives and label != NEUTRAL:
            is_denied = found[1] not in ("is", "was", "seems")
            assert (label == adjectives[found[2]]) != is_denied, text
            checked[is_denied] += 1
    assert min(checked[True], checked[False]) > 20


def test_no_probe_is_trained_on() -> None:
    rng = random.Random(0)
    made = {draw_pair(rng)[0].text.lower().rstrip(" .!") for _ in range(20_000)}
    denials = list_denials()
    probes = {denial.affirmed for denial in denials} | {f for d in denials for f in d.denied}
    probes |= {sentence for sentences in list_sentences_by_name() for sentence in sentences}
    assert not made & {probe.lower().rstrip(".") for probe in probes}
    assert len(denials) == 60 and all(len(some) == 40 for some in list_sentences_by_name())
    assert all(len({denial.affirmed, *denial.denied}) == 4 for denial in denials)


def test_epochs_take_all_examples_in_turn_and_keep_their_shares() -> None:
    train = [Example(f"phrase {n}", n % 2, PHRASES) for n in range(90)]
    train += [Example(f"tweet {n}", n % 3, TWEETS) for n in range(10)]
    epochs = [draw_examples(train, 33, seed=0, epoch=epoch) for epoch in range(4)]
    for drawn in epochs:
        # 0.44 to 0.22.
        assert Counter(e.domain for e in drawn) == {PHRASES: 22, TWEETS: 11}
    counts = Counter(e.text for drawn in epochs for e in drawn)
    assert {counts[f"phrase {n}"] for n in range(90)} <= {0, 1}
    assert {counts[f"tweet {n}"] for n in range(10)} == {4, 5}
    assert epochs[0] == draw_examples(train, 33, seed=0, epoch=0)


def test_batches_have_partners_with_the_answer_of_their_text() -> None:
    tokenizer = BertTokenizerFast(vocab=tiny_vocab(), do_lower_case=True)
    examples = [Example("the film is good .", POSITIVE), Example("so bad", NEGATIVE)] * 20
    config = DrawConfig(batch_size=8, join_share=0.0, pair_share=0.5, rules_share=0.25)
    batches = draw_batches(tokenizer, examples, config, random.Random(0))
    assert sum(map(len, batches)) == 50
    num_pairs = sum(int(batch.has_partner.sum()) for batch in batches)
    assert 20 <= num_pairs <= 40
    for batch in batches:
        assert batch.partner_ids.shape == batch.partner_mask.shape
        assert (batch.partner_mask[batch.has_partner].sum(dim=1) > 2).all()
        assert len(batch.rows(slice(1, 2))) == 1


def test_domains_are_measured_with_two_labels_and_with_three() -> None:
    examples = [Example(str(n), label) for n, label in enumerate((0, 2, 1, 1))]
    logits = torch.tensor([[0.1, 0.6, 0.3], [0.2, 0.7, 0.1], [0.9, 0.05, 0.05], [0.2, 0.5, 0.3]])
    three = align(logits, ["negative", "neutral", "positive"])
    (figures,) = measure_domains(three, examples)
    assert (figures.domain, figures.num_sided, figures.num_neutral) == (SST2, 2, 2)
    assert figures.two_way == 0.0 and figures.three_way == 0.25 and figures.over_sure == 0.5
    two = align(
        torch.tensor([[0.3, 0.7], [0.9, 0.1], [0.4, 0.6], [0.1, 0.9]]).flip(1),
        ["positive", "negative"],
    )
    (figures,) = measure_domains(two, examples)
    assert figures.two_way == 0.0 and figures.three_way is None and figures.over_sure == 0.5
    assert figures.ece == pytest.approx((0.7 + 0.9) / 2)


def test_probes_know_a_model_that_reads_one_word() -> None:
    def knows_not(texts):
        is_denied = [bool(re.search(r"n['’]t|not|n[eo]|any", text)) for text in texts]
        return torch.tensor([[d, 0.0, not d] for d in is_denied]).double()

    figures = measure_probes(knows_not)
    # Only denials of what is good can be right.
    assert figures.num_denials == 180 and 0.3 < figures.flips <= 0.5
    assert measure_probes(lambda texts: torch.full((len(texts), 3), 1 / 3)).spread == 0.0
    peru = measure_probes(
        lambda texts: torch.tensor([[0.0, "Peru" not in t, "Peru" in t] for t in texts]).double()
    )
    assert peru.spread == 1.0
