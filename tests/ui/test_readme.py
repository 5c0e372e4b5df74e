"""The README's examples run as they stand, but for the address of the app."""

import re
from pathlib import Path

import gradio as gr
from drawing import draw_strokes
from speaking import speak, write_wav

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
    exec(EXAMPLES[0].replace("http://127.0.0.1:7860", app_url), {})
    printed = [line for line in capsys.readouterr().out.splitlines() if line]
    assert printed[-6:-3] == ["stopped", "7", "positive"]
    assert printed[-3].startswith("1,7,It broke after a day.,negative,")
    assert "funny" in printed[-2]
    assert printed[-1] == "seven three one"


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
