import json

from foundry.benchmark import sentiment

# The specification.
KEYS = {
    "single_p50_ms",
    "single_p95_ms",
    "pipeline_single_p50_ms",
    "batch_texts_per_s",
    "pipeline_batch_texts_per_s",
    "load_s",
}


def test_lines_are_the_same_for_a_seed_and_of_every_length():
    lines = sentiment.make_lines(1_000)
    assert lines == sentiment.make_lines(1_000)
    assert lines != sentiment.make_lines(1_000, seed=1)
    lengths = {len(line.split()) for line in lines}
    assert lengths == set(range(1, 61))
    # Hardly a line twice, but for the shortest.
    assert len(set(lines)) > 900


def test_figures_are_complete_and_make_sense(monkeypatch):
    for name, number in (("_NUM_LINES", 12), ("_NUM_SINGLE", 3), ("_ROUNDS", 1)):
        monkeypatch.setattr(sentiment, name, number)
    figures = sentiment.measure()
    assert set(figures) >= KEYS
    assert all(value > 0 for value in figures.values())
    assert figures["pipeline_batch_texts_per_s"] == max(
        figures["pipeline_batch_1_texts_per_s"], figures["pipeline_batch_32_texts_per_s"]
    )
    json.dumps(figures)
    speedup = figures["batch_texts_per_s"] / figures["pipeline_batch_texts_per_s"]
    assert f"{speedup:.1f} times" in sentiment.report(figures)
    assert figures["single_p50_ms"] <= figures["single_p95_ms"]
