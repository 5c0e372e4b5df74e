"""Choosing rows, against what a filter and a stable sort in plain Python give."""

from hypothesis import given
from hypothesis import strategies as st

from foundry.sentiment import SentimentScore
from foundry.sentiment.review import Choice, choose_rows, keep_answers
from foundry.sentiment.scoring import UNREAD, ScoredText

LABELS = ("negative", "neutral", "positive")
# In eighths, so that limits are met exactly.
EIGHTHS = st.integers(0, 8)


@st.composite
def answers(draw):
    """Some texts with probabilities in eighths, some of them without an answer."""
    scored = []
    for index in range(draw(st.integers(0, 8))):
        first = draw(EIGHTHS)
        second = draw(st.integers(0, 8 - first))
        probs = dict(zip(LABELS, (first / 8, second / 8, (8 - first - second) / 8), strict=True))
        score, problem = draw(
            st.sampled_from(
                [
                    (SentimentScore(probs, 1, 0, 1), ""),
                    (SentimentScore(dict.fromkeys(LABELS, 1 / 3), 1, 1, 1, False), UNREAD),
                    (None, "There is no text yet."),
                ]
            )
        )
        scored.append(ScoredText(index, score, problem))
    return draw(st.permutations(scored))


@given(
    scored=answers(),
    labels=st.sets(st.sampled_from(LABELS)),
    least=EIGHTHS,
    most=EIGHTHS,
    is_doubt_first=st.booleans(),
    most_rows=st.integers(1, 10),
)
def test_rows_are_those_that_fit_in_the_order_asked_for(
    scored, labels, least, most, is_doubt_first, most_rows
):
    answered = keep_answers([""] * len(scored), LABELS, scored)
    choice = Choice(labels, least / 8, most / 8, is_doubt_first)
    chosen, num_found = choose_rows(answered, choice, most_rows)
    fitting, without = [], []
    for one in sorted(scored, key=lambda one: one.index):
        if one.problem:
            without.append(one.index)
        elif (not labels or one.score.label in labels) and (
            least <= 8 * max(one.score.probs.values()) <= most
        ):
            fitting.append(one)
    if (labels, least, most) != (set(), 0, 8):
        without = []
    if is_doubt_first:
        ordered = sorted(fitting, key=lambda one: max(one.score.probs.values()))
        expected = [one.index for one in ordered] + without
    else:
        expected = sorted([one.index for one in fitting] + without)
    assert num_found == len(expected)
    assert answered.indices[chosen].tolist() == expected[:most_rows]
    for row, index in enumerate(answered.indices):
        one = next(one for one in scored if one.index == index)
        assert answered.problems.get(one.index, "") == one.problem
        if not one.problem:
            assert answered.probs[row].tolist() == list(one.score.probs.values())
