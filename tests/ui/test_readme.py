"""The READMEs' examples run as they stand, but for the app's address; their tables are true."""

import re

import gradio as gr
import pytest
from drawing import draw_strokes, write_shapes
from gradio_client import Client
from patterns import pattern_entries, write_zip
from readmes import PROJECT, find_blocks, find_rows
from speaking import speak, write_wav

from foundry.compression.runs import read_compression
from foundry.data.pictures import MAX_PIXELS
from foundry.models.hub import MAX_DOWNLOAD_BYTES
from foundry.photos.several import MAX_PHOTOS
from foundry.photos.teaching import projects
from foundry.runs import cleaning
from foundry.runs.queue import MAX_WAITING
from foundry.sentiment.pieces import MAX_CHARACTERS
from foundry.sentiment.tables import MAX_FILE_BYTES, MAX_ROWS
from foundry.speech.audio import MAX_DURATION_S
from foundry.speech.several import MAX_RECORDINGS
from foundry.ui import app
from foundry.ui.photos.examples import open_example
from foundry.ui.server import queues

# A whole compression, also on a busy machine.
pytestmark = pytest.mark.timeout(900)

UI_README = PROJECT / "foundry" / "ui" / "README.md"
SERVER_README = PROJECT / "foundry" / "ui" / "server" / "README.md"
# Corners in pixels of the 280 by 280 page.
SEVEN = [[(80, 60), (200, 60), (160, 140), (135, 235)]]
(FIRST,) = find_blocks(PROJECT / "README.md", "python")
(ENDPOINTS,) = find_blocks(UI_README, "python")
LIBRARY, TAB = find_blocks(PROJECT / "foundry" / "README.md", "python")


def run_on_the_app(example, app_url, folder, monkeypatch):
    """Run an example in a folder with the files that it sends; return its names."""
    draw_strokes(SEVEN).save(folder / "seven.png")
    write_shapes(folder / "shapes.zip")
    open_example("A cup").save(folder / "photo.jpg")
    write_zip(folder / "classes.zip", pattern_entries())
    (folder / "reviews.csv").write_text("id,review\n7,It broke after a day.\n")
    write_wav(folder / "speech.wav", speak("seven three one")[0])
    monkeypatch.chdir(folder)
    names = {}
    exec(example.replace("http://127.0.0.1:7860", app_url), names)
    return names


def test_the_first_example_runs(app_url, tmp_path, monkeypatch, capsys):
    names = run_on_the_app(FIRST, app_url, tmp_path, monkeypatch)
    printed = [line for line in capsys.readouterr().out.splitlines() if line]
    assert "positive" in printed and "seven three one" in printed
    assert printed[-1] == "done 1.0" and names["progress"]["test_accuracy"] > 0.8


def test_the_example_of_the_endpoints_runs(app_url, tmp_path, monkeypatch, capsys):
    names = run_on_the_app(ENDPOINTS, app_url, tmp_path, monkeypatch)
    printed = [line for line in capsys.readouterr().out.splitlines() if line]
    assert printed[-14:-11] == ["stopped", "7", "28 True"]
    assert printed[-16].startswith("['disc', 'square'] [16, 16] ['A tenth of each class")
    assert 0 <= float(printed[-15]) <= 1
    assert re.fullmatch(r"0 \[(\S+, ){9}\S+\]", printed[-17])
    read, smallest = printed[-11].split()
    assert read == "7" and 0 < float(smallest) < 0.5
    assert printed[-10:-8] == ["['7']", "espresso"]
    # Of each class of five pictures one is set aside; a cup is like none of the patterns.
    assert re.fullmatch(r"(0\.0|0\.5|1\.0) 2", printed[-8])
    assert printed[-7] == "none of these"
    assert re.fullmatch(r"[012] [012] 2", printed[-6])
    assert printed[-5] == "positive"
    assert printed[-4].startswith("1,7,It broke after a day.,negative,")
    assert "funny" in printed[-3]
    assert printed[-2] == "seven three one"
    check_compression(names["job"], names["row"])


def check_compression(job, row):
    """Check what `/compress` streams, ends with and leaves behind."""
    *progress, last = job.outputs()
    assert last == row
    assert (row["model"], row["variant"], row["engine"]) == ("lenet", "pruned-int8", "OpenVINO")
    # Channels 3 and 8, neurons 60 and 42, counted by hand: see tests/compression/test_pruning.py.
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
    exec(LIBRARY, {})
    last = capsys.readouterr().out.splitlines()[-1]
    # One epoch of the default preset is well beyond chance on validation.
    assert float(last.split()[-1]) > 0.9


def test_the_example_of_a_tab_is_one_more_on_the_page(monkeypatch):
    names = {}
    exec(TAB, names)
    monkeypatch.setattr(app, "_TABS", (*app._TABS, names["build_count_tab"]))
    page = app.build_app("cpu")
    assert "Count" in [block.label for block in page.blocks.values() if isinstance(block, gr.Tab)]
    (event,) = [event for event in page.fns.values() if event.fn is names["on_text"]]
    assert event.fn("a warm film") == "3 words"


def test_the_table_of_endpoints_is_complete(app_url):
    client = Client(app_url, verbose=False)
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    shown = {name.strip("`"): takes for name, takes, _ in find_rows(UI_README, "`/[a-z_]+`")}
    assert set(shown) == set(endpoints)
    for name, endpoint in endpoints.items():
        for parameter in endpoint["parameters"]:
            assert f"`{parameter['parameter_name']}`" in shown[name]


def test_the_limits_are_those_of_the_code():
    text = SERVER_README.read_text()
    for row in (
        f"a photo | {MAX_PIXELS // 10**6} megapixels",
        f"a recording | {MAX_DURATION_S / 3600:.0f} hours",
        f"a table | {MAX_ROWS:,} rows, {MAX_FILE_BYTES // 10**6} MB",
        f"a text | {MAX_CHARACTERS:,} characters",
        f"a model from the Hub | {MAX_DOWNLOAD_BYTES // 10**9} GB",
        f"photos at once | {MAX_PHOTOS} |",
        f"recordings at once | {MAX_RECORDINGS} |",
        f"runs waiting in the queue | {MAX_WAITING} |",
        f"runs | {cleaning.MAX_AGE_S / 86_400:.0f} days without a change, the newest "
        f"{cleaning.NUM_KEPT} excepted; the oldest go when all together exceed "
        f"{cleaning.MAX_BYTES // 10**9} GB",
        f"their pictures | {projects.MAX_AGE_S / 86_400:.0f} days without a change",
        f"all together exceed {projects.MAX_BYTES // 10**9} GB",
        f"all together exceed {cleaning.MAX_UPLOADS_BYTES // 10**9} GB",
    ):
        assert row in text
    for name, queue in (
        ("recordings", queues.RECORDINGS),
        ("tables", queues.TABLES),
        ("explanations of a text", queues.EXPLANATIONS),
        ("measurements of the machine, in About", queues.MEASUREMENTS),
        ("attacks and changes of 1,000 digits, in Draw", queues.ATTACKS),
        ("sets of photos, in Photos", queues.PHOTO_SETS),
        ("sets of recordings, in Speech", queues.RECORDING_SETS),
        ("data sets that are read, in Train", queues.DATA_SETS),
        ("lessons: own classes in Photos, a hand in Draw", queues.LESSONS),
    ):
        assert f"| {name} | {queue._at_once} | {queue._most_waiting} |" in text
