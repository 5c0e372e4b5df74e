"""Compressing what transformers reads: tiny models in the place of the shipped ones."""

import shutil

import pytest

from foundry.compression.config import CompressConfig
from foundry.compression.state import CompressState
from foundry.compression.steps import compress

pytestmark = pytest.mark.slow("whole compressions")

CARDS = {
    "bert-sentiment": "| split | number | accuracy, as published |\n|---|---|---|\n"
    "| SST-2 dev | 872 | 89.68% |\n",
    "bert-sentiment-pruned": "| split | dense, as published | pruned, as published |\n"
    "|---|---|---|\n"
    "| SST-2 dev, 872 sentences | 89.68% | 88.88% |\n",
    "wav2vec2-commands": "| set | greedy WER | beam WER |\n|---|---|---|\n"
    "| isolated words, Speech Commands | 15.6% | 10.4% |\n",
}


@pytest.fixture
def weights(tmp_path, monkeypatch, tiny_bert_dir, tiny_speech_dir):
    """A weights folder of tiny models with cards of their own."""
    folder = tmp_path / "weights"
    for name, card in CARDS.items():
        source = tiny_bert_dir if name.startswith("bert") else tiny_speech_dir
        shutil.copytree(source, folder / name)
        (folder / name / "README.md").write_text(card)
    for module in ("models.loading", "compression.steps"):
        monkeypatch.setattr(f"foundry.{module}.WEIGHTS_DIR", folder)
    monkeypatch.setattr("foundry.compression.measurement.measure._BUDGET_S", 0.1)
    monkeypatch.setenv("FOUNDRY_CACHE_DIR", str(tmp_path / "cache"))
    return folder


def compress_here(name, tmp_path):
    config = CompressConfig(name, pruning_ratio=0.0)
    state = CompressState(config, name, tmp_path / "variants")
    events = list(compress(state))
    return state, state.report(), events


def test_a_sentence_model_and_its_pruned_form_are_quantized_and_measured(weights, tmp_path):
    state, report, events = compress_here("bert-sentiment", tmp_path)
    rows = {row["variant"]: row for row in report["rows"]}
    assert list(rows) == [
        *("dense", "bfloat16", "pruned", "compiled", "int8 weights", "int8", "pruned-int8")
    ]
    assert report["row"]["variant"] == "int8"
    # The cards' figures, and none where no card has one.
    assert (rows["dense"]["quality"], rows["pruned"]["quality"]) == (
        pytest.approx(0.8968),
        pytest.approx(0.8888),
    )
    assert rows["int8"]["quality"] is None
    assert "model card" in report["quality_name"]
    assert "48 sentences" in report["samples"]
    # The pruned one is a copy of the dense one here.
    assert rows["pruned"]["disagreement"] == 0
    assert rows["bfloat16"]["size_bytes"] < 0.6 * rows["dense"]["size_bytes"]
    assert rows["int8"]["size_bytes"] < rows["compiled"]["size_bytes"]
    assert {event.stage for event in events} == {"load", "quantize", "measure"}
    # What takes room and is quickly made again is not kept.
    assert sorted(path.name for path in state.folder.iterdir()) == ["int8.zip", "pruned-int8.zip"]
    assert set(report["sources"]) == {"dense", "bfloat16", "pruned", "int8", "pruned-int8"}


def test_a_recogniser_is_compared_by_what_it_writes(weights, tmp_path):
    state, report, _ = compress_here("wav2vec2-commands", tmp_path)
    rows = {row["variant"]: row for row in report["rows"]}
    assert rows["dense"]["quality"] == pytest.approx(1 - 0.104)
    assert "pruned" not in rows
    assert report["unit"] == "clip"
    texts = state.measured.answers["dense"].labels
    assert len(texts) == 24 and all(isinstance(text, str) for text in texts)
    assert report["changes"]["int8"]
