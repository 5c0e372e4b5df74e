"""What the row for several photos does."""

from itertools import pairwise
from types import SimpleNamespace

import gradio as gr
import pytest

from foundry.ui.photos import several
from foundry.ui.photos.examples import open_example
from foundry.ui.photos.several import on_pick, on_several
from foundry.ui.server.queues import on_cancel

SHIPPED = "efficientnet-lite0"


@pytest.fixture
def paths(tmp_path):
    open_example("A cup").save(tmp_path / "cup.jpg")
    (tmp_path / "<b>.jpg").write_bytes(b"no picture")
    return [str(tmp_path / "cup.jpg"), str(tmp_path / "<b>.jpg"), str(tmp_path / "cup.jpg")]


def test_a_gallery_and_a_table_come_out(paths):
    first, *_, last = on_several(paths, SHIPPED, "dense")
    job, _, album, hidden, start, cancel, shown = first
    assert shown == paths
    assert job and album == "" and not hidden.visible
    assert (start.interactive, cancel.interactive) == (False, True)
    job, status, album, download, start, cancel, _ = last
    assert job == "" and "3 of 3 photos in" in status and "1 could not be read" in status
    assert album.count("data-photo=") == 2 and "浓缩咖啡" in album
    assert "&lt;b&gt;.jpg" in album and "<b>.jpg" not in album
    assert download.visible and download.value["path"].endswith("photos.csv")
    assert (start.interactive, cancel.interactive) == (True, False)


def test_a_longer_gallery_begins_with_the_shorter_one(paths, monkeypatch):
    """Only what is new then goes to the page."""
    monkeypatch.setattr(several, "_REFRESH_S", 0)
    albums = [album for _, _, album, *_ in on_several(paths, SHIPPED, "dense")]
    albums = [album for album in albums if isinstance(album, str)]
    assert len(albums) > 3
    assert all(one.startswith(other) for other, one in pairwise(albums))


def test_a_cancelled_job_keeps_what_is_done(paths, monkeypatch):
    monkeypatch.setattr(several, "_REFRESH_S", 0)
    steps = on_several(paths, SHIPPED, "dense")
    on_cancel(next(steps)[0])
    *_, (_, status, album, download, start, *_) = steps
    assert "Cancelled" in status and "1 of 3 photos" in status
    assert album.count("data-photo=") == 1 and download.visible and start.interactive


def test_what_cannot_be_done_is_a_sentence(paths):
    with pytest.raises(gr.Error, match="no photos yet"):
        next(on_several(None, SHIPPED, "dense"))
    with pytest.raises(gr.Error, match="at most 200 at once"):
        next(on_several(paths * 100, SHIPPED, "dense"))
    *_, (_, status, _, _, start, *_) = on_several(paths, SHIPPED, "pruned")
    assert "no pruned checkpoint comes with it" in status and start.interactive


def test_a_card_that_is_pressed_is_looked_at_alone(paths):
    assert on_pick(SimpleNamespace(photo=2), paths) == paths[2]
    assert on_pick(SimpleNamespace(photo=3), paths) == gr.skip()
    assert on_pick(SimpleNamespace(photo=0), None) == gr.skip()
