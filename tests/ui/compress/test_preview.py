import re

import pytest

from foundry.compression.preview import Part, PruningPreview
from foundry.compression.pruning import RankedLayer
from foundry.ui.compress.preview import on_preview, parts_html, preview_html

TOKEN = "t" * 32


def test_a_network_is_taken_apart():
    layers = (RankedLayer("conv1", (4.0, 1.0, 0.25, 0.0), (2, 3)), RankedLayer("fc1", (0.0,), ()))
    html = preview_html(PruningPreview(layers, 200, 50, 0.9876, 0.25, 1_000))
    assert re.findall(r'<i( class=out)? style="height:(\d+)%"', html) == [
        ("", "100"),
        ("", "50"),
        (" class=out", "25"),
        # Nothing is so low that it is not seen.
        (" class=out", "4"),
        ("", "4"),
    ]
    assert "4 → 2 channels" in html and "1 → 1 neurons" in html
    assert "50 <small>of 200, 25%" in html
    assert "25.0% <small>before: 98.8%" in html


def test_parts_are_drawn_beside_the_largest():
    html = parts_html([Part("a", 50), Part("b<", 200)])
    assert "250 in all" in html and "b&lt;" in html
    assert re.findall(r"width:([\d.]+)%", html) == ["25.0", "100.0"]


def test_the_drawing_follows_the_form():
    some, many = on_preview(TOKEN, "lenet", 0.2), on_preview(TOKEN, "lenet", 0.8)
    assert 0 < some.count("class=out") < many.count("class=out")
    assert on_preview(TOKEN, "lenet", 0.0).count("class=out") == 0


def test_what_is_not_pruned_here_shows_its_parts():
    assert "22,740,867 in all" in on_preview(TOKEN, "bert-sentiment", 0.0)


@pytest.mark.parametrize("model", ["", "nope", "../weights/lenet", "20260101-000000-aaaaaaaaaaaa"])
def test_what_is_no_model_of_the_visitors_is_not_drawn(model):
    assert on_preview(TOKEN, model, 0.4) == ""
