"""What the row for several recordings does."""

from itertools import pairwise
from types import SimpleNamespace

import gradio as gr
import pytest
from speaking import speak, write_wav

from foundry.ui.server.queues import on_cancel
from foundry.ui.speech.several import section
from foundry.ui.speech.several.section import on_pick, on_several

SHIPPED = "wav2vec2-commands"


@pytest.fixture
def paths(tmp_path):
    (tmp_path / "<b>.wav").write_bytes(b"no sound")
    spoken = write_wav(tmp_path / "a.wav", speak("go left")[0])
    return [str(spoken), str(tmp_path / "<b>.wav"), str(spoken)]


def test_a_table_and_both_downloads_come_out(paths):
    first, *_, last = on_several(paths, SHIPPED, "beam", "dense")
    job, _, table, csv, captions, start, cancel, listed = first
    # What a row of the table is of, also when the files have been removed from the field.
    assert listed == paths
    assert job and table == "" and not csv.visible and not captions.visible
    assert (start.interactive, cancel.interactive) == (False, True)
    job, status, table, csv, captions, start, cancel, _ = last
    assert job == "" and "3 of 3 recordings in" in status and "1 could not be read" in status
    assert table.count("data-recording=") == 2 and table.count("go left") == 2
    assert "&lt;b&gt;.wav" in table and "<b>.wav" not in table
    assert csv.value["path"].endswith("recordings.csv")
    assert captions.value["path"].endswith("captions.zip")
    assert (start.interactive, cancel.interactive) == (True, False)


def test_rows_come_one_after_the_other(paths, monkeypatch):
    monkeypatch.setattr(section, "_REFRESH_S", 0)
    tables = [step[2] for step in on_several(paths, SHIPPED, "beam", "dense")]
    numbers = [table.count("<tr>") for table in tables if isinstance(table, str)]
    assert all(before <= after for before, after in pairwise(numbers))
    assert set(numbers) >= {0, 2, 4}


def test_a_cancelled_job_keeps_what_is_done(paths, monkeypatch):
    monkeypatch.setattr(section, "_REFRESH_S", 0)
    steps = on_several(paths, SHIPPED, "beam", "dense")
    job = ""
    for job_now, _, table, *_ in steps:
        job = job_now if isinstance(job_now, str) and job_now else job
        if isinstance(table, str) and "data-recording=" in table:
            on_cancel(job)
            break
    *_, (_, status, table, csv, captions, start, *_) = steps
    assert "Cancelled" in status and "3 of 3" not in status
    assert table.count("data-recording=") == 1 and csv.visible and captions.visible
    assert start.interactive


def test_what_cannot_be_done_is_a_sentence(paths):
    with pytest.raises(gr.Error, match="no recordings yet"):
        next(on_several(None, SHIPPED, "beam", "dense"))
    with pytest.raises(gr.Error, match="at most 100 at once"):
        next(on_several(paths * 50, SHIPPED, "beam", "dense"))
    *_, (_, status, *_, start, _, _) = on_several(paths, "no/such/folder", "beam", "dense")
    assert "Failed" in status and start.interactive


def test_a_recording_that_is_pressed_is_listened_to_alone(paths):
    assert on_pick(SimpleNamespace(recording=2), paths) == paths[2]
    assert on_pick(SimpleNamespace(recording=3), paths) == gr.skip()
    assert on_pick(SimpleNamespace(recording=0), []) == gr.skip()
