"""Tables and charts of a compression, as plain HTML and frames."""

import re

import pytest
from compress_report import make_report, make_row
from hypothesis import given
from hypothesis import strategies as st

from foundry.ui.compress.charts import histograms_html, scatter_html, sensitivity_html
from foundry.ui.compress.plots import (
    answers_html,
    changes_html,
    format_bytes,
    format_ms,
    table_html,
    transcripts_html,
)

HOSTILE = "<img src=x onerror=alert(1)>"
POINTS = st.lists(
    st.tuples(st.floats(0.01, 1e4, allow_nan=False), st.floats(0, 1, allow_nan=False)), min_size=1
)


def test_the_table_says_each_figure_once_and_how_it_was_measured():
    html = table_html(make_report())
    assert html.count("<tr") == 5
    assert "300 rounds" in html and "2 threads, load average 0.2" in html
    assert "all 10,000 test images" in html
    assert "3.0x faster (2.9 to 3.1)" in html
    assert "97.00%" in html and "61,706" in html and "2.5 MB" in html and "21,300" in html
    assert re.findall(r'<tr class="asked"><th scope="row">([\w-]+)', html) == ["pruned-int8"]


def test_what_is_not_known_is_left_empty():
    rows = [make_row("dense"), make_row("int8", quality=None, peak_memory_bytes=None)]
    html = table_html(make_report(rows=rows, row=rows[1], load_average=float("nan")))
    assert "None" not in html and "nan" not in html


def test_names_are_text_and_never_markup():
    rows = [make_row("dense"), make_row(HOSTILE)]
    report = make_report(rows=rows, row=rows[1])
    layers = [{"layer": HOSTILE, "is_changed": True, "note": HOSTILE}]
    for html in (
        table_html(report),
        scatter_html(report),
        changes_html({HOSTILE: layers}),
        answers_html({"dense": [0.5, 0.5], HOSTILE: [1.0, 0.0]}, [HOSTILE, "b"], HOSTILE),
        transcripts_html({"dense": HOSTILE, HOSTILE: "b"}, {"dense": 1.0, HOSTILE: 1.0}),
    ):
        assert "<img" not in html


def test_layers_left_alone_say_why():
    html = changes_html(make_report()["changes"])
    assert "6 → 3 channels" in html
    assert "left alone: its 10 outputs are the classes" in html


@given(POINTS)
def test_the_scatter_plot_keeps_every_point_inside(points):
    rows = [
        make_row(f"variant {index}", p50_ms=latency, quality=quality)
        for index, (latency, quality) in enumerate(points[:8])
    ]
    html = scatter_html(make_report(rows=rows))
    places = re.findall(r'cx="([\d.-]+)" cy="([\d.-]+)"', html)
    assert len(places) == len(rows)
    assert all(64 <= float(x) <= 480 and 24 <= float(y) <= 308.1 for x, y in places)


def test_a_form_far_below_the_others_says_how_far():
    assert "masked (↓ 30.0%)" in scatter_html(make_report())


def test_without_quality_agreement_is_drawn():
    rows = [make_row("dense", quality=0.9, disagreement=0.0), make_row("int8", quality=None)]
    assert "Agreement with dense" in scatter_html(make_report(rows=rows))


def test_area_and_not_radius_is_the_size():
    rows = [make_row("dense", size_bytes=400_000), make_row("int8", size_bytes=100_000)]
    radii = [float(r) for r in re.findall(r' r="([\d.]+)"', scatter_html(make_report(rows=rows)))]
    assert radii[0] == pytest.approx(2 * radii[1])


def test_bars_of_sensitivity_and_histograms():
    html = sensitivity_html(make_report())
    assert "30.00 points" in html and "width:100.0%" in html and "width:0.0%" in html
    assert sensitivity_html(make_report(sensitivity=[])) == ""
    histograms = histograms_html(make_report())
    assert "80.0% zero" in histograms and "class=cut" in histograms
    assert histograms_html(make_report(histograms=[])) == ""


def test_answers_count_those_that_differ():
    probs = {"dense": [0.9, 0.1], "int8": [0.8, 0.2], "masked": [0.2, 0.8]}
    html = answers_html(probs, ["no", "yes"], "Test image 3: written 0.")
    assert "Variants that answer differently from dense: 1 of 2." in html
    assert html.count('class="other"') == 1
    same = answers_html({"dense": [1.0], "int8": [1.0]}, ["no"], "")
    assert "Variants that answer differently from dense: 0 of 1." in same


def test_numbers_in_their_units():
    assert format_ms(0.09123) == "0.0912 ms"
    assert format_ms(123.4) == "123 ms"
    assert format_bytes(85_496) == "85.5 kB"
    assert format_bytes(45_400_000) == "45.4 MB"
