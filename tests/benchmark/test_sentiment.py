import json

from sentiment_corpus import write_corpus

from foundry.benchmark import sentiment
from foundry.recipes.sentiment.data.corpus import DOMAINS

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


def test_answers_are_measured_in_every_domain_and_on_probes(three_label_dir, tmp_path, monkeypatch):
    for name, number in (("_NUM_LINES", 4), ("_NUM_SINGLE", 1), ("_ROUNDS", 1)):
        monkeypatch.setattr(sentiment, name, number)
    figures = sentiment.measure(write_corpus(tmp_path), str(three_label_dir))
    assert list(figures["answers"]) == ["dense"]
    domains = figures["answers"]["dense"]["domains"]
    assert [domain["domain"] for domain in domains] == list(DOMAINS)
    assert domains[0]["three_way"] is not None and domains[1]["three_way"] is None
    json.dumps(figures)
    report = sentiment.report(figures)
    assert all(f"| {domain} |" in report for domain in DOMAINS)
    assert "| denials that turn the answer (180) |" in report


def test_figures_are_complete_and_make_sense(monkeypatch):
    monkeypatch.setattr(sentiment, "available_variants", lambda name: ["dense"])
    for name, number in (("_NUM_LINES", 12), ("_NUM_SINGLE", 3), ("_ROUNDS", 1)):
        monkeypatch.setattr(sentiment, name, number)
    figures = sentiment.measure()
    assert set(figures) >= KEYS
    answers = figures.pop("answers")
    assert all(value > 0 for value in figures.values())
    # Without the corpora: the sentences that are here.
    assert list(answers) == ["dense"] and answers["dense"]["domains"] == []
    assert answers["dense"]["probes"]["num_denials"] == 180
    figures["answers"] = answers
    assert figures["pipeline_batch_texts_per_s"] == max(
        figures["pipeline_batch_1_texts_per_s"], figures["pipeline_batch_32_texts_per_s"]
    )
    json.dumps(figures)
    speedup = figures["batch_texts_per_s"] / figures["pipeline_batch_texts_per_s"]
    assert f"{speedup:.1f} times" in sentiment.report(figures)
    assert figures["single_p50_ms"] <= figures["single_p95_ms"]
