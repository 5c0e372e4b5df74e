"""Where it looked and Fool it: their handlers, called with plain values."""

import json
import re

import gradio as gr
import numpy as np
import pytest
from drawing import SEVEN, data_url, draw_strokes
from outputs import value_of

from foundry.digits.attack import attack_digit, measure_robustness
from foundry.ui.components.pad import read_pad
from foundry.ui.components.plots import signed_picture
from foundry.ui.draw.curves import attack as attack_curve
from foundry.ui.draw.curves.attack import on_measure
from foundry.ui.draw.curves.measuring import list_measured, on_open
from foundry.ui.draw.fool import on_fool
from foundry.ui.draw.look_inside import ANY, on_explain
from foundry.ui.page import palette

DRAWN = data_url(draw_strokes(SEVEN))


def explain(drawing=DRAWN, variant="dense", rival=ANY, model="lenet"):
    return on_explain("cpu", drawing, model, "alice", variant, rival)


def fool(drawing=DRAWN, variant="dense", target=ANY, method="pgd", epsilon=0.2):
    return on_fool("cpu", drawing, "lenet", "alice", variant, target, method, epsilon)


def test_the_answer_is_explained_with_its_completeness_error(runs_folder):
    html = explain()
    assert "Why 7?" in html and html.count("<img") == 1
    error = float(re.search(r"completeness error is ([\d.]+)%", html)[1])
    assert error <= 1
    total, difference = map(float, re.search(r"([-\d.]+) logits of ([-\d.]+);", html).groups())
    assert total == pytest.approx(difference, abs=0.011 * abs(difference) + 0.011)


def test_another_digit_is_compared_and_the_answer_itself_is_not(runs_folder):
    assert "Why 7 and not 9?" in explain(rival=9)
    assert "Why 7?" in explain(rival=7)


def test_of_int8_the_float_network_is_explained_and_that_is_said(runs_folder):
    assert "float32" in explain(variant="int8") and "float32" not in explain()


@pytest.mark.parametrize("handler", [explain, fool])
@pytest.mark.parametrize("drawing", [None, ""])
def test_of_an_empty_pad_there_is_nothing_to_show(runs_folder, handler, drawing):
    assert "Draw a digit on the pad first" in handler(drawing)


@pytest.mark.parametrize("handler", [explain, fool])
def test_what_the_pad_never_sends_is_answered_with_a_sentence(runs_folder, handler):
    assert "clear the pad and draw again" in handler("garbage")


def test_a_model_that_is_gone_is_answered_with_a_sentence(runs_folder):
    assert "There is no model “&lt;b&gt;”" in explain(model="<b>")


def test_signed_pictures_have_the_palettes_colours():
    values = np.zeros((28, 28), dtype=np.float32)
    values[0, 0:10], values[1, 0:10] = 2, -2
    picture = signed_picture(values)
    as_hex = ["#{:02X}{:02X}{:02X}".format(*picture.getpixel(at)) for at in ((0, 0), (0, 1))]
    assert as_hex == [palette.BLUE, palette.VERMILION]
    assert picture.getpixel((5, 5)) == (255, 255, 255)


def test_a_seven_is_fooled_and_all_that_is_shown_is_the_attacks(runs_folder, lenet):
    html = fool(target=3, epsilon=0.3)
    attack = attack_digit(lenet, read_pad(lenet, DRAWN).image, 3, "pgd", 0.3)
    assert attack.is_fooled
    assert "Fooled: the 7 is read as 3." in html
    assert f"works is {attack.smallest_epsilon:.2f}." in html
    assert html.count("<img") == 3
    for probs in (attack.probs_before, attack.probs_after):
        assert f"{probs.max():.1%} sure" in html
    # Every variant of the shipped network reads it too.
    for variant in ("dense", "pruned", "int8", "pruned-int8"):
        assert f"{variant}</th>" in html


def test_too_weak_an_attack_says_so(runs_folder):
    assert "Not fooled: it is still read as 7." in fool(epsilon=0)


def test_the_digit_that_is_read_anyway_is_no_target(runs_folder):
    assert "read as 7 already" in fool(target=7)


def test_own_runs_read_the_attacked_picture_too(finished):
    html = on_fool("cpu", DRAWN, "lenet", "somebody", "dense", ANY, "fgsm", 0.2)
    assert html.count("<tr>") == 5
    assert f"{finished.run_id} dense" in [name for _, name in list_measured("somebody")]
    assert len(list_measured("alice")) == 4
    assert on_open("alice", ["lenet dense", f"{finished.run_id} dense"]).value == ["lenet dense"]


def test_the_curves_grow_and_end_with_the_measurement(runs_folder, lenet, mnist, monkeypatch):
    monkeypatch.setattr(attack_curve, "NUM_DIGITS", 100)
    monkeypatch.setattr(attack_curve, "EPSILONS", (0.0, 0.2))
    outputs = list(on_measure("cpu", "alice", ["lenet dense", "lenet int8"], "fgsm"))
    assert "Done" in outputs[-1][0]
    curves = json.loads(value_of(outputs[-1][1]))["curves"]
    assert [curve["name"] for curve in curves] == [
        "LeNet (shipped), dense",
        "LeNet (shipped), int8",
    ]
    *_, event = measure_robustness(lenet, mnist.test.head(100), "fgsm", (0.0, 0.2))
    expected = [[0, 100 * event.accuracies[0]], [0.2, 100 * event.accuracies[1]]]
    np.testing.assert_allclose(curves[0]["points"], expected)
    assert len(curves[1]["points"]) == 2
    shares = [int(one) for html, _ in outputs[:-1] for one in re.findall(r'now="(\d+)"', html)]
    assert shares == [25, 50, 75, 100]


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [([], "one to 4 models"), (["../x dense"], "There is no model “../x dense”")],
)
def test_what_cannot_be_measured_is_refused(runs_folder, chosen, sentence):
    with pytest.raises(gr.Error) as refused:
        next(on_measure("cpu", "alice", chosen, "pgd"))
    assert sentence in refused.value.message
