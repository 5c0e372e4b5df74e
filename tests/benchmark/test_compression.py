import pytest

from foundry.benchmark import compression
from foundry.benchmark.harness.quality import agreement
from foundry.compression.measurement.workloads import texts_workload
from foundry.models import load_pretrained

pytestmark = pytest.mark.slow("times every variant")

# The specification: what each row has, at least.
COLUMNS = {
    *("model", "variant", "engine", "parameters", "size_bytes", "batch", "p50_ms", "p95_ms"),
    *("speedup", "quality", "quality_loss"),
}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compression, "_BUDGET_S", 0.0)
        return compression._measure_model("lenet", "digits", None, tmp_path_factory.mktemp("out"))


def test_every_variant_and_engine_has_a_row_for_every_input(rows):
    assert all(set(row) >= COLUMNS for row in rows)
    ways = {(row["variant"], row["engine"]) for row in rows}
    assert {variant for variant, _ in ways} == {"dense", "pruned", "int8", "pruned-int8"}
    assert {("dense", "PyTorch bfloat16"), ("dense", "ONNX Runtime dynamic int8")} <= ways
    assert {row["batch"] for row in rows} == {1, 256}
    assert len(rows) == 2 * len(ways)


def test_dense_pytorch_is_one(rows):
    first, second = (
        row for row in rows if (row["variant"], row["engine"]) == ("dense", "PyTorch float32")
    )
    assert first["speedup"] == second["speedup"] == 1.0
    assert first["quality_loss"] == 0.0
    # The model card's figure.
    assert first["quality"] == pytest.approx(0.9945)
    assert all(row["speedup_low"] <= row["speedup"] <= row["speedup_high"] for row in rows)


def test_sizes_and_arithmetic_are_what_they_are(rows):
    by_way = {(row["variant"], row["engine"]): row for row in rows if row["batch"] == 1}
    dense = by_way["dense", "PyTorch float32"]
    assert dense["parameters"] == 61_706
    assert 4 * 61_706 <= dense["size_bytes"] < 4 * 61_706 + 2_000
    # The specification: int8 at most 30% of float32, pruned at least 60% fewer parameters.
    assert by_way["int8", "OpenVINO int8"]["size_bytes"] <= 0.3 * dense["size_bytes"]
    assert by_way["pruned", "PyTorch float32"]["parameters"] <= 0.4 * dense["parameters"]
    # Two operations for each of 28*28*25*6 + 10*10*150*16 + 400*120 + 120*84 + 84*10 products.
    assert dense["mflop"] == pytest.approx(2 * (117_600 + 240_000 + 48_000 + 10_080 + 840) / 1e6)


def test_the_report_has_a_line_for_every_row(rows):
    text = compression.report(rows)
    assert len(text.strip().splitlines()) == len(rows) + 2
    assert "MNIST test (10,000)" in text


def test_agreement_without_data_is_with_the_dense_model():
    pretrained = load_pretrained("bert-sentiment", "sentiment")
    quality = agreement(texts_workload(pretrained), pretrained.predict)
    assert quality.measure(pretrained.predict) == 1.0
    assert quality.measure(lambda ids, mask: -pretrained.predict(ids, mask)) == 0.0
    assert "written for this project" in quality.metric
