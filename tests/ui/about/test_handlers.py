"""The About tab's handlers and markup, called with plain values."""

import gradio as gr
import pytest

from foundry.compression.measurement.timing import Timing
from foundry.compression.speeds import Speed
from foundry.errors import ArtifactError
from foundry.models.loading import WEIGHTS_DIR
from foundry.models.machine import Machine
from foundry.models.model_card import list_cards
from foundry.ui.about import tab as about_tab
from foundry.ui.about import view as about_view
from foundry.ui.server.queues import WaitingQueue

DENSE = Speed("A <model>", "dense", "1 text", Timing(20, 12, 15, 1, 1, 1, "same"), 0.9, "right")
FAST = Speed("A <model>", "int8", "1 text", Timing(20, 4, 5, 3, 2.9, 3.1, "faster"), None, "right")
SAME = Speed("A <model>", "pruned", "1 text", Timing(20, 12, 15, 1, 0.9, 1.1, "same"), 0.8, "right")


def _measures(speeds):
    yield 0.0, "A model: making dense ready"
    yield 0.5, "A model: timing"
    return speeds


def test_measuring_shows_progress_and_then_the_table(monkeypatch):
    monkeypatch.setattr(about_tab, "measure_speeds", lambda: _measures([DENSE, FAST]))
    first, *_, last = about_tab.on_measure()
    assert "making dense ready" in first[1] and first[0].interactive is False
    button, status, table, machine = last
    assert button.interactive is True
    assert "2 variants" in status and "Load average" in status
    assert "4 ms" in table
    assert "Processor" in machine


def test_a_damaged_model_is_a_sentence_and_the_button_comes_back(monkeypatch):
    def fail():
        yield 0.0, "Loading"
        raise ArtifactError("weights/lenet is damaged.")

    monkeypatch.setattr(about_tab, "measure_speeds", fail)
    *_, last = about_tab.on_measure()
    assert "Not measured" in last[1] and "weights/lenet is damaged." in last[1]
    assert last[0].interactive is True


def test_visitors_measure_one_after_another(monkeypatch):
    line = WaitingQueue("measurement", at_once=1, most_waiting=1)
    monkeypatch.setattr(about_tab, "MEASUREMENTS", line)
    monkeypatch.setattr(about_tab, "measure_speeds", lambda: _measures([DENSE]))
    with line.join():
        second = about_tab.on_measure()
        assert "Waiting" in next(second)[1]
        (refused,) = about_tab.on_measure()
        assert "The queue is full" in refused[1]
    assert "Measured" in list(second)[-1][1]
    with line.join() as ticket:
        assert ticket.wait(0)


def test_the_table_has_units_intervals_and_no_html_of_names():
    html = about_view.speeds_html([DENSE, FAST, SAME])
    assert "A &lt;model&gt;" in html and "<model>" not in html
    assert "12 ms" in html and "4 ms" in html
    assert "3.00 times <small>(2.90 to 3.10)</small>" in html
    assert "no difference" in html
    assert "90.00%" in html and "not stated" in html


def test_the_machine_is_shown_with_units():
    html = about_view.machine_html(Machine("CPU <1>", 2, 1, 16_000_000_000, None))
    assert "CPU &lt;1&gt;" in html
    assert "16.0 GB" in html
    assert "not told" in html
    assert "PyTorch" in html
    assert "0.50 processes" in about_view.machine_html(Machine("CPU", 2, 1, 1, 0.5))


@pytest.mark.parametrize("name", list_cards(WEIGHTS_DIR))
def test_a_card_is_shown_without_front_matter_and_dead_links(name):
    text = about_tab.on_card(name)
    assert text.startswith("# ")
    assert "license:" not in text
    assert "](../" not in text


def test_every_model_is_in_the_licences():
    assert all(name in about_view.LICENCES for name in list_cards(WEIGHTS_DIR))


@pytest.mark.parametrize("name", ["../secrets", "", "nobody", None])
def test_a_card_that_is_not_there_is_refused_with_those_there_are(name):
    with pytest.raises(gr.Error, match="lenet-pruned"):
        about_tab.on_card(name)
