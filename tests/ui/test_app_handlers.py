import importlib.util
import sys
from collections import Counter
from contextvars import copy_context
from copy import copy
from pathlib import Path

import gradio as gr
import pytest
from gradio.components.base import FormComponent
from gradio.context import LocalContext
from gradio.renderable import Renderable
from gradio.route_utils import delete_files_created_by_app

import app
from foundry.benchmark.harness.served_app import PROJECT_DIR
from foundry.ui import build_app
from foundry.ui.components.clips import EXAMPLES


@pytest.fixture
def launched(monkeypatch):
    """What `app.py` would launch with; nothing is served."""
    options = {}
    monkeypatch.setattr(app, "build_app", lambda device: device)
    monkeypatch.setattr(app, "launch", lambda device, **kwargs: options.update(kwargs))
    return options


def test_options_reach_the_server(launched, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["app.py", "--host", "0.0.0.0", "--port", "8000"])
    app.main()
    expected = {"server_name": "0.0.0.0", "server_port": 8000, "share": False}
    assert launched == expected | {"mcp_server": False}


def test_mcp_without_its_extra_is_a_clear_message(launched, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["app.py", "--mcp"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        app.main()
    assert 'pip install "gradio[mcp]"' in capsys.readouterr().err
    assert launched == {}


@pytest.mark.parametrize(
    ("options", "accounts", "said"),
    [(["--device", "tpu"], "", "tpu"), ([], "nobody", "FOUNDRY_AUTH has to be of the form")],
)
def test_a_bad_option_or_setting_is_a_sentence(monkeypatch, capsys, options, accounts, said):
    monkeypatch.setattr(sys, "argv", ["app.py", *options])
    monkeypatch.setenv("FOUNDRY_AUTH", accounts)
    with pytest.raises(SystemExit):
        app.main()
    assert said in capsys.readouterr().err


def test_mcp_with_its_extra_is_switched_on(launched, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["app.py", "--mcp"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    app.main()
    assert launched["mcp_server"] is True


def test_the_readme_says_what_app_py_takes():
    readme = (PROJECT_DIR / "README.md").read_text()
    for option in ("--host", "--port", "--share", "--device", "--mcp"):
        assert f"`{option}`" in readme


def test_no_event_has_two_listeners_that_wait_their_turn():
    """Gradio starts all of an event's listeners anew for one that was busy: two would never end."""
    waiting = Counter(
        tuple(target)
        for event in build_app("cpu").config["dependencies"]
        for target in event["targets"]
        if event["trigger_mode"] == "always_last" and event["backend_fn"]
    )
    del waiting[(None, "then")], waiting[(None, "success")]
    assert max(waiting.values()) == 1


def test_no_choice_is_dropped_while_the_one_before_is_being_answered():
    """Gradio drops an event while its listener is busy, unless it is told to wait or to go beside.

    One may be dropped: the microphone’s page sends the next piece when the one before was
    answered. Opening a tab tells nothing but that.
    """
    config = build_app("cpu").config
    about = {one["id"]: (one["type"], one["props"].get("elem_id")) for one in config["components"]}
    dropped = {
        about[component]
        for event in config["dependencies"]
        if event["trigger_mode"] == "once" and event["backend_fn"]
        for component, happened in event["targets"]
        if happened in ("input", "select", "release")
    }
    dropped = {elem_id for kind, elem_id in dropped if kind != "tabitem"}
    assert dropped == {"speech-microphone"}


def test_parts_that_are_built_when_they_are_opened_are_built_one_after_the_other():
    """Of two at once in a page, Gradio goes through a dictionary that the other one changes."""
    fns = build_app("cpu").fns.values()
    building = [fn for fn in fns if isinstance(getattr(fn.fn, "__self__", None), Renderable)]
    assert len(building) >= 3
    assert {(fn.concurrency_id, fn.concurrency_limit) for fn in building} == {("render", 1)}


def _build_later(page, renderable):
    """The events of a part that is built when it is opened, and what takes input there."""
    config = copy(page.default_config)
    LocalContext.blocks.set(page)
    LocalContext.blocks_config.set(config)
    values = {gr.State: "dense", gr.BrowserState: "0" * 32}
    renderable.apply(*(values[type(component)] for component in renderable.inputs))
    events = [event for event in config.fns.values() if event.rendered_in is renderable]
    taken = {
        component
        for event in events
        for component in event.inputs
        if isinstance(component, FormComponent | gr.Image | gr.File | gr.Audio)
        and component._id not in page.default_config.blocks
    }
    dropped = {
        config.blocks[component].elem_id
        for event in events
        if event.trigger_mode == "once" and not event.is_cancel_function
        for component, happened in event.targets
        if happened in ("input", "select", "release", "submit", "upload")
    }
    return taken, dropped


def test_what_is_built_later_can_be_used_and_drops_nothing():
    """Gradio's page shuts what comes later with a value, unless it says that it is for input.

    Of what may be dropped, a project is not to be loaded twice by a double click.
    """
    page = build_app("cpu")
    owners = [getattr(event.fn, "__self__", None) for event in page.fns.values()]
    taken, dropped = set(), set()
    for renderable in owners:
        if isinstance(renderable, Renderable):
            found = copy_context().run(_build_later, page, renderable)
            taken |= found[0]
            dropped |= found[1]
    assert {"Model", "Attack", "Strength", "Who answers"} <= {one.label for one in taken}
    assert {one.label for one in taken if not one.interactive} == set()
    assert dropped == {"teach-load"}


def test_the_sweep_of_old_files_spares_the_examples(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    page = build_app("cpu")
    shown = set().union(*page.temp_file_sets)
    old = tmp_path / "brought.wav"
    old.write_bytes(b"RIFF")
    page.upload_file_set.add(str(old))
    delete_files_created_by_app(page, age=None)
    assert not old.exists()
    assert {Path(path).stem for path in shown if Path(path).exists()} >= set(EXAMPLES.values())


def test_gradio_sums_up_nothing_after_an_event():
    """It would use pandas for milliseconds, for a page that is not served."""
    queue = build_app("cpu")._queue
    queue.events_recorded = 10_000
    record = {"function": "train", "status": "success", "process_time": 1.0}
    assert queue.compute_analytics_summary([record]) == {"functions": {}}
