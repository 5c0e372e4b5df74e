"""What a variant is worse by, from figures whose differences can be done in the head."""

import pytest

from foundry.benchmark.harness.costs import list_costs
from foundry.benchmark.readme import render_table

SPEED = {
    **dict.fromkeys(("single_p50_ms", "single_p95_ms"), 1.0),
    **dict.fromkeys(("pipeline_single_p50_ms", "pipeline_single_p95_ms"), 2.0),
    **{"batch_texts_per_s": 10.0, "pipeline_batch_texts_per_s": 5.0, "num_lines": 1_000},
}
MACHINE = dict.fromkeys(
    ("processors", "machine", "threads", "python", "torch", "gradio", "transformers", "openvino"), 2
) | {"nncf": 3, "load_average": 0.0}


def measured(flips, spread, *over_sure):
    domains = [
        {"domain": name, "num_neutral": 50 if share is not None else 0, "over_sure": share}
        for name, share in zip(("tweets", "product reviews", "editorials"), over_sure, strict=False)
    ]
    probes = {"flips": flips, "spread": spread, "num_denials": 180}
    return {"probes": probes, "domains": domains}


ANSWERS = {
    "dense": measured(0.95, 0.04, 0.10, None, 0.08),
    "pruned": measured(0.90, 0.10, 0.15, None, 0.06),
    "int8": measured(0.95, 0.04, 0.10, None, 0.08),
}


def test_fewer_denials_and_more_of_the_others_are_a_loss():
    costs = {cost.measure: cost for cost in list_costs(ANSWERS)}
    assert list(costs) == [
        "denials that turn the answer (180)",
        "probability that a name alone moves, at most",
        "neutral texts over 80% sure of a side, tweets (50)",
        "neutral texts over 80% sure of a side, editorials (50)",
    ]
    lost = [cost.lost["pruned"] for cost in costs.values()]
    assert lost == pytest.approx([0.05, 0.06, 0.05, -0.02])
    assert all(cost.lost["int8"] == 0 and "dense" not in cost.lost for cost in costs.values())
    assert [cost.shares["dense"] for cost in costs.values()] == [0.95, 0.04, 0.10, 0.08]


def test_without_the_corpora_there_are_denials_and_names():
    answers = {name: one | {"domains": []} for name, one in ANSWERS.items()}
    assert len(list_costs(answers)) == 2


def test_the_readme_has_a_row_for_each_with_what_is_lost():
    table = render_table({"machine": MACHINE, "sentiment": SPEED | {"answers": ANSWERS}})
    assert (
        "| BERT, what compression costs beside accuracy: denials that turn the answer (180) | "
        "dense 95.0%; pruned 90.0%, 5.00 points lost; int8 95.0%, nothing lost | `sentiment` |"
    ) in table
    assert "pruned 6.0%, 2.00 points gained" in table
    # Figures that were measured before there were any answers.
    before = render_table({"machine": MACHINE, "sentiment": SPEED})
    assert "beside accuracy" not in before and "1,000 texts" in before
