"""The README's examples run as they stand, but for the address of the app."""

import re
from pathlib import Path

import gradio as gr
import pytest
from drawing import draw_strokes
from speaking import speak, write_wav

from foundry.compression.runs import read_compression

# A whole compression, also on a busy machine.
pytestmark = pytest.mark.timeout(900)

README = Path(__file__).parent.parent.parent / "README.md"
# Corners in pixels of the 280 by 280 page.
SEVEN = [[(80, 60), (200, 60), (160, 140), (135, 235)]]
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def test_the_files_and_pictures_that_it_points_to_are_there():
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", README.read_text())
    assert targets
    assert [target for target in targets if not (README.parent / target).exists()] == []


def test_the_example_of_the_endpoints_runs(app_url, tmp_path, monkeypatch, capsys):
    draw_strokes(SEVEN).save(tmp_path / "seven.png")
    (tmp_path / "reviews.csv").write_text("id,review\n7,It broke after a day.\n")
    write_wav(tmp_path / "speech.wav", speak("seven three one")[0])
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(EXAMPLES[0].replace("http://127.0.0.1:7860", app_url), names)
    printed = [line for line in capsys.readouterr().out.splitlines() if line]
    assert printed[-7:-4] == ["stopped", "7", "positive"]
    assert printed[-4].startswith("1,7,It broke after a day.,negative,")
    assert "funny" in printed[-3]
    assert printed[-2] == "seven three one"
    check_compression(names["job"], names["row"])


def check_compression(job, row):
    """Check what `/compress` streams, ends with and leaves behind."""
    *progress, last = job.outputs()
    assert last == row
    assert (row["model"], row["variant"], row["engine"]) == ("lenet", "pruned-int8", "OpenVINO")
    # Channels 3 and 8, neurons 60 and 42, counted by hand: see tests/test_compress.py.
    assert row["parameters"] == 78 + 608 + 12_060 + 2_562 + 430
    assert row["size_bytes"] < 30_000 and row["quality"] > 0.9
    assert row["speedup_low"] <= row["speedup"] <= row["speedup_high"]
    shares = [one["progress"] for one in progress]
    assert shares == sorted(shares)
    assert {"recover", "measure"} <= {one["stage"] for one in progress}
    run = read_compression(progress[0]["run_id"])
    assert (run.status, run.reason, run.progress) == ("done", "", 1)
    assert run.test_probs["dense"].shape == run.test_probs["pruned-int8"].shape == (10_000, 10)
    # What it says can be loaded is there.
    assert {"dense", "bfloat16", "pruned", "pruned-int8"} <= set(run.sources)
    assert all(source.path.exists() for source in run.sources.values())


def test_the_example_of_the_library_runs(capsys):
    exec(EXAMPLES[1], {})
    last = capsys.readouterr().out.splitlines()[-1]
    # One epoch of the default preset is well beyond chance on validation.
    assert float(last.split()[-1]) > 0.9


def test_the_example_of_a_tab_builds_and_counts():
    names = {}
    exec(EXAMPLES[2], names)
    with gr.Blocks() as app, gr.Tab("Count"):
        names["build_count_tab"]()
    (event,) = app.fns.values()
    assert event.fn("a warm film") == "3 words"
