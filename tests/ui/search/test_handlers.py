"""The Search section's handlers and its pictures, called with plain values; no Ray, no server."""

import re
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import pytest
from search_folder import SMALL, make_event, make_search

from foundry.runs import cluster
from foundry.runs.folders import append_event, write_status
from foundry.search import SearchConfig
from foundry.search.runs import create_search, read_search
from foundry.training.config import LIMITS
from foundry.ui.search import tab as search_tab
from foundry.ui.search.form import fill_form, on_objective, read_form
from foundry.ui.search.plots import parallel_html, pareto_html, table_html
from foundry.ui.search.tab import (
    build_panel,
    build_search_tab,
    on_keep,
    on_start,
)

PANEL = build_panel(SimpleNamespace(position=lambda run_id: 0, stop=None))


@pytest.fixture
def ended(runs_folder, mnist, monkeypatch):
    monkeypatch.setattr(cluster, "is_ray_installed", lambda: True)
    return make_search(mnist)


def test_the_form_gives_back_what_it_was_filled_with():
    assert read_form(fill_form(SMALL)) == SMALL
    # One component for each value, whatever is chosen.
    assert len(fill_form(SMALL)) == len(fill_form(SearchConfig().widen(10)))


def test_a_search_starts_with_what_the_form_says(ended):
    started = []

    def start(*settings):
        started.append(settings)
        return ended

    panel = build_panel(SimpleNamespace(start=start, position=lambda run_id: 0))
    run_id, seen, timer, *_ = on_start(panel, "alice", *fill_form(SMALL))
    assert started == [(create_search, SMALL, "alice")]
    assert run_id == ended.run_id and seen == (run_id, "running", 2)
    assert timer.active


def test_a_bad_range_is_a_sentence(ended):
    knobs = fill_form(SMALL)
    knobs[knobs.index(SMALL.learning_rate[1])] = 1e-6
    with pytest.raises(gr.Error, match="the lowest has to come first"):
        on_start(PANEL, "alice", *knobs)


def test_sizes_to_try_are_filled_in_where_they_are_looked_for_and_none_differ():
    assert on_objective("accuracy-parameters", 1.0, 1.0) == LIMITS["width"]
    assert on_objective("accuracy-parameters", 0.5, 1.0) == (gr.skip(), gr.skip())
    assert on_objective("accuracy-seconds", 1.0, 1.0) == (gr.skip(), gr.skip())


def test_nobody_elses_search_is_stopped_seen_or_kept_from(ended):
    event = SimpleNamespace(trial="t1")
    with pytest.raises(gr.Error, match="You have no search"):
        PANEL.on_stop(ended.run_id, "bob")
    with pytest.raises(gr.Error, match="You have no search"):
        on_keep(ended.run_id, "bob", event)
    seen, timer, _, status, *_ = PANEL.on_refresh(ended.run_id, "bob", None)
    assert seen is None and not timer.active and "Nothing searched yet" in status


def test_a_refresh_without_news_changes_nothing(ended):
    seen, *_ = PANEL.on_refresh(ended.run_id, "alice", None)
    again = PANEL.on_refresh(ended.run_id, "alice", seen)
    assert again == [gr.skip()] * len(again)
    append_event(ended.folder, make_event("t2", epoch=0.5))
    changed = PANEL.on_refresh(ended.run_id, "alice", seen)
    assert changed[0] == (ended.run_id, "running", 3) and len(changed) == len(again)


def test_a_reloaded_page_finds_its_search_with_its_settings(ended):
    run_id, *rest = PANEL.on_return("", "alice")
    settings = fill_form(SMALL)
    assert run_id == ended.run_id
    *knobs, data = rest[: len(settings)]
    assert [*knobs, data.value] == settings
    assert rest[len(settings)] == (run_id, "running", 2)
    # Somebody without a search: the form stays as it is.
    assert PANEL.on_return("", "bob")[1 : 1 + len(settings)] == [gr.skip()] * len(settings)


def test_a_trial_is_kept_as_a_run(ended):
    (run_id, when), sentence = on_keep(ended.run_id, "alice", SimpleNamespace(trial="t1"))
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{8}", run_id)
    assert re.search(r"\d\d\.\d\d% on the test split", sentence)
    # Kept again it is the same run, and asked for anew.
    again, _ = on_keep(ended.run_id, "alice", SimpleNamespace(trial="t1"))
    assert again[0] == run_id and again[1] > when
    with pytest.raises(gr.Error, match="under way"):
        on_keep(ended.run_id, "alice", SimpleNamespace(trial="t2"))
    with pytest.raises(gr.Error, match="has no trial"):
        on_keep(ended.run_id, "alice", SimpleNamespace(trial="<img src=x>"))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("running", "2 trials, the best"),
        ("stopped", "2 trials, the best"),
        ("failed", "No memory. Press Resume"),
        ("interrupted", "Press Resume to go on"),
    ],
)
def test_the_status_line_says_how_it_stands(ended, status, said):
    write_status(ended.folder, status, "No memory" if status == "failed" else "")
    assert said in PANEL.status_html(read_search(ended.run_id))


def test_the_table_offers_to_keep_what_has_ended(ended):
    html = table_html(ended)
    assert html.count("<tr") == 3
    assert re.findall(r'data-trial="(\w+)"', html) == ["t1"]
    # The best comes first and is marked.
    assert html.index("class=best") < html.index('scope="row">2<')
    assert "Learning rate" in html and "Model" not in html


def test_the_pareto_plot_draws_every_trial_and_the_front_by_what_is_looked_for(ended):
    html = pareto_html(ended)
    assert html.count("<circle") == 2 and "Training time (s, log)" in html
    # Equal seconds, by hand: only the better one is on the front.
    assert html.count("front-one") == 1
    by_parameters, both = "accuracy-parameters", ("lenet", "cnn")
    by_size = replace(ended, config=replace(SMALL, objective=by_parameters, model=both))
    assert "Parameters (log)" in pareto_html(by_size)


def test_a_trial_far_below_the_best_is_said_to_be_at_the_bottom(ended):
    (ended.folder / "events.jsonl").write_text("")
    for trial_id, accuracy, is_told in (("a", 0.99, False), ("b", 0.95, False), ("c", 0.9, True)):
        append_event(ended.folder, make_event(trial_id, "done", accuracy=accuracy))
        html = pareto_html(read_search(ended.run_id))
        assert ("at the bottom: 94.0% or less" in html) == is_told


def test_parallel_coordinates_have_a_line_for_every_trial_and_a_pole_for_every_knob(ended):
    html = parallel_html(ended)
    assert html.count("<polyline") == 2 and html.count('class="best"') == 2
    # All searched knobs, and the accuracy.
    assert html.count('class="pole"') == len(SMALL.searched) + 1
    assert "nan" not in html


def test_nothing_is_drawn_before_the_first_reading(ended):
    (ended.folder / "events.jsonl").write_text("")
    empty = read_search(ended.run_id)
    assert table_html(empty) == pareto_html(empty) == parallel_html(empty) == ""
    append_event(ended.folder, make_event("t1", epoch=0.0, accuracy=None, train_s=0.0))
    begun = read_search(ended.run_id)
    assert pareto_html(begun) == parallel_html(begun) == "" and "running" in table_html(begun)


def test_without_ray_the_tab_is_one_sentence(monkeypatch):
    monkeypatch.setattr(search_tab, "is_ray_installed", lambda: False)
    with gr.Blocks() as app:
        links = SimpleNamespace(open_only=lambda tab: None)
        with gr.Tabs():
            build_search_tab(SimpleNamespace(queue=PANEL.queue, links=links))
    (said,) = [block for block in app.blocks.values() if isinstance(block, gr.Markdown)]
    assert said.value.startswith("Search needs Ray, which is not installed: `pip install -r")
    assert len(app.fns) == 0
