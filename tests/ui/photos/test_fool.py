"""What the row that fools a photo's network does."""

import gradio as gr
import pytest

from foundry.models.attacks.perturbing import FGSM, PGD
from foundry.photos import load_photo_model
from foundry.ui.photos import fool
from foundry.ui.photos.examples import open_example
from foundry.ui.photos.fool import ANY, list_targets, on_fool, on_open

SHIPPED = "efficientnet-lite0"


@pytest.fixture
def cup(tmp_path, monkeypatch):
    # Int8 takes a minute to be made where it is not there; what is done with it is the same.
    monkeypatch.setattr(fool, "load_chosen", lambda *_: load_photo_model(SHIPPED))
    open_example("A cup").save(tmp_path / "cup.png")
    return str(tmp_path / "cup.png")


def test_pictures_names_strength_and_int8_come_one_after_the_other(cup):
    waiting, first, *_, last = on_fool(True, cup, SHIPPED, 1, PGD, 2)
    assert "takes a few seconds" in waiting
    assert "Fooled: in float32 it is now called" in first and "Looking for" in first
    assert first.count("<img") == 3 and first.count('class="track"') == 10
    assert '<span class="zh">金鱼</span>' in first and "<button" not in first
    assert "The smallest strength that works is 1." in last
    assert "It carries over: int8 calls the same picture" in last


def test_what_does_not_work_is_told(cup):
    *_, last = on_fool(True, cup, SHIPPED, 1, FGSM, 1)
    assert "Not fooled: in float32 it is still called" in last
    assert "No strength up to 16 works." in last and "It does not carry over" in last
    *_, last = on_fool(True, cup, SHIPPED, ANY, PGD, 0)
    assert "Not fooled" in last


def test_without_a_photo_or_out_of_sight_nothing_is_attacked(cup):
    assert list(on_fool(False, cup, SHIPPED, ANY, PGD, 2)) == [gr.skip()]
    assert "Upload or take a photo first" in next(on_fool(True, None, SHIPPED, ANY, PGD, 2))
    assert "Only the shipped model" in next(on_fool(True, cup, "someone/else", ANY, PGD, 2))
    *_, last = on_fool(True, cup, SHIPPED, 967, PGD, 2)
    assert "its name already" in last


def test_the_names_are_listed_in_both_languages_when_the_row_is_opened():
    opened = on_open(1)
    assert len(opened.choices) == 1001 and opened.value == 1
    assert list_targets()[1:3] == [("tench · 丁鱥", 0), ("goldfish · 金鱼", 1)]
