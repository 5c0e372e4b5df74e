"""Text from strangers is text wherever the page shows it: nothing in it is ever run."""

import csv
import shutil

import pytest
from gestures import bring_sound
from playwright.sync_api import expect
from speaking import speak, write_wav
from tiny_bert import tiny_config
from transformers import BertForSequenceClassification

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror='window.harmed=1'><script>window.harmed=1</script> [x](javascript:1)"


@pytest.fixture
def watched(shared_page):
    """The page; at the end nothing may have run."""
    yield shared_page
    assert shared_page.evaluate("window.harmed") is None
    assert shared_page.locator("img[onerror]").count() == 0
    assert shared_page.locator("a[href^='javascript:']").count() == 0


def choose(page, elem_id, name):
    choice = page.locator(f"#{elem_id} input")
    choice.fill(name)
    choice.press("Enter")


def test_names_labels_columns_and_cells_stay_text(watched, tiny_bert_dir, tmp_path):
    watched.get_by_role("tab", name="Sentiment").click()
    choose(watched, "sentiment-model", EVIL)
    expect(watched.locator("#sentiment-about")).to_contain_text("onerror")

    folder = shutil.copytree(tiny_bert_dir, tmp_path / "evil labels")
    network = BertForSequenceClassification(tiny_config(num_labels=2))
    network.config.id2label = {0: EVIL, 1: f"{EVIL} too"}
    network.save_pretrained(folder)
    choose(watched, "sentiment-model", str(folder))
    expect(watched.locator("#sentiment-about")).to_contain_text("2 labels")
    watched.locator("#sentiment-text textarea").fill("good film")
    expect(watched.locator("#sentiment-answer .bars .name").first).to_contain_text("onerror")
    expect(watched.locator("#sentiment-words .legend")).to_contain_text("onerror")

    table = tmp_path / f"{EVIL[:20]}.csv".replace("/", "")
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([["id", EVIL, "other"], ["1", f"{EVIL} film", EVIL]])
    watched.locator("#sentiment-file input[type=file]").set_input_files(table)
    expect(watched.get_by_text("1 row, read as")).to_be_visible()
    watched.locator("#sentiment-score").click()
    expect(watched.locator("#sentiment-status")).to_contain_text("Done")
    expect(watched.locator("#sentiment-histogram")).to_contain_text("onerror")
    expect(watched.locator(".table-wrap").last).to_contain_text("onerror")


def test_what_is_compared_with_the_transcript_stays_text(watched, tmp_path):
    watched.get_by_role("tab", name="Speech").click()
    choose(watched, "speech-model", EVIL)
    expect(watched.locator("#speech-status")).to_contain_text("onerror")
    recording = tmp_path / "<b onmouseover=1>.wav"
    write_wav(recording, speak("seven")[0])
    bring_sound(watched, recording)
    expect(watched.locator("#speech-transcript")).to_contain_text("seven")
    watched.locator("#speech-reference textarea").fill(EVIL)
    watched.locator("#speech-compare").click()
    expect(watched.locator("#speech-score")).to_contain_text("onerror")
