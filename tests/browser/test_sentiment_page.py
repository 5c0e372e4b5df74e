"""Scoring a text as a visitor does, in a real Chromium."""

import shutil
from pathlib import Path

import pytest
from gestures import open_page
from playwright.sync_api import expect
from tiny_bert import tiny_config
from transformers import BertForSequenceClassification

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(shared_page):
    shared_page.get_by_role("tab", name="Sentiment").click()
    return shared_page


@pytest.fixture
def box(page):
    """The box, emptied, and no answer from before."""
    box = page.locator("#sentiment-text textarea")
    box.fill("")
    expect(page.locator("#sentiment-answer")).to_contain_text("as you type")
    expect(page.locator("#sentiment-words .words")).to_have_count(0)
    return box


def open_own(context, app_url):
    page = open_page(context, app_url)
    page.get_by_role("tab", name="Sentiment").click()
    return page


@pytest.fixture
def own_page(context, app_url):
    """A page of its own, for what stays on it: a file."""
    return open_own(context, app_url)


@pytest.fixture(scope="module")
def models_page(new_shared_context, app_url):
    """A page whose visitor brings one model after another."""
    return open_own(new_shared_context(), app_url)


def test_the_label_follows_what_is_typed(page, box):
    answer = page.locator("#sentiment-answer")
    box.fill("A wonderful, moving film.")
    expect(answer).to_contain_text("positive")
    box.fill("")
    expect(answer).to_contain_text("as you type")


def test_a_clicked_word_is_struck_out_and_the_answer_without_it_shown(page, box):
    box.fill("The film was awful.")
    page.locator("#sentiment-words").get_by_text("awful", exact=True).click()
    expect(page.locator("#sentiment-comparison")).to_contain_text("Without “awful”")
    expect(page.locator("#sentiment-words button[aria-pressed=true]")).to_have_text("awful")
    page.locator("#sentiment-words").get_by_text("awful", exact=True).click()
    expect(page.locator("#sentiment-comparison")).to_contain_text("Click a word")
    expect(page.locator("#sentiment-words button[aria-pressed=true]")).to_have_count(0)


def test_the_answer_changes_while_typing_goes_on(page, box):
    answer = page.locator("#sentiment-answer .headline b")
    box.press_sequentially("I love it", delay=20)
    expect(answer).to_contain_text("positive")
    box.press_sequentially(" not at all: an awful, boring mess", delay=20)
    expect(answer).to_contain_text("negative")
    # The words are those of the text as it is at last.
    expect(page.locator("#sentiment-words .words")).to_have_text(
        "I love it not at all: an awful, boring mess"
    )


def test_an_example_is_one_click_away(page, box):
    page.get_by_text("Two hours of shouting, and not one of the jokes lands.").click()
    expect(page.locator("#sentiment-answer")).to_contain_text("negative")
    expect(page.locator("#sentiment-words")).to_contain_text("pulls towards negative")


def test_a_sentence_that_is_pressed_is_explained(page, box):
    box.fill("A warm and funny film. But the ending was awful!")
    sentences = page.locator("#sentiment-sentences button")
    expect(sentences).to_have_text(["A warm and funny film.", "But the ending was awful!"])
    sentences.nth(1).click()
    expect(page.locator("#sentiment-words .words")).to_have_text("But the ending was awful!")
    box.fill("A warm and funny film.")
    expect(sentences).to_have_count(0)


def test_a_word_typed_over_is_compared_and_slots_fill_a_table(page, box):
    box.fill("The film was good.")
    page.locator("#sentiment-what-if > button").click()
    changed = page.locator("#sentiment-changed textarea")
    answers = page.locator("#sentiment-what-if-answers")
    expect(changed).to_have_value("The film was good.")
    # What nobody has changed follows the text.
    box.fill("The film was good, too.")
    expect(changed).to_have_value("The film was good, too.")
    box.fill("The film was good.")
    expect(changed).to_have_value("The film was good.")
    changed.fill("The film was awful.")
    expect(answers).to_contain_text("With “awful.” in place of “good.”")
    changed.fill("The {film|<b>book</b>} was {good|awful}.")
    expect(answers.locator("tr")).to_have_count(1 + 4)
    expect(answers.locator("tr").nth(3)).to_contain_text("<b>book</b>")
    # Another text is compared as soon as it has been looked at; what was typed here stays.
    changed.fill("The film was awful.")
    box.fill("The film was lovely.")
    expect(answers).to_contain_text("With “awful.” in place of “lovely.”")
    page.locator("#sentiment-what-if > button").click()


def test_what_is_typed_stays_text(page, box):
    spoken = []
    page.on("dialog", lambda dialog: (spoken.append(dialog.message), dialog.dismiss()))
    box.fill("<img src=x onerror=alert(1)> ${alert(2)} {{value}} wonderful")
    expect(page.locator("#sentiment-words .words")).to_have_text(
        "<img src=x onerror=alert(1)> ${alert(2)} {{value}} wonderful"
    )
    assert spoken == []


def test_a_model_that_is_not_there_is_explained_and_the_shipped_one_goes_on(page, box, tmp_path):
    choice = page.locator("#sentiment-model input")
    choice.fill(str(tmp_path))
    choice.press("Enter")
    expect(page.locator("#sentiment-about")).to_contain_text("has no config.json")
    expect(choice).to_have_value("BERT, six layers (shipped)")
    box.fill("Wonderful.")
    expect(page.locator("#sentiment-answer")).to_contain_text("positive")


def test_another_model_is_loaded_and_answers_with_its_own_labels(
    models_page, tiny_bert_dir, tmp_path
):
    folder = shutil.copytree(tiny_bert_dir, tmp_path / "stars")
    network = BertForSequenceClassification(tiny_config(num_labels=3))
    network.config.id2label = {0: "one <b>star</b>", 1: "two", 2: "three"}
    network.save_pretrained(folder)
    models_page.locator("#sentiment-text textarea").fill("good film")
    choice = models_page.locator("#sentiment-model input")
    choice.fill(str(folder))
    choice.press("Enter")
    expect(models_page.locator("#sentiment-answer .bars .name")).to_have_text(
        ["one <b>star</b>", "two", "three"]
    )
    # The words are explained anew.
    expect(models_page.locator("#sentiment-words .legend")).to_contain_text("pulls away from")


def test_a_model_with_a_neutral_label_has_three_bars_in_their_colours(models_page, three_label_dir):
    models_page.locator("#sentiment-text textarea").fill("good film")
    choice = models_page.locator("#sentiment-model input")
    choice.fill(str(three_label_dir))
    choice.press("Enter")
    expect(models_page.locator("#sentiment-answer .bars .name")).to_have_text(
        ["negative", "neutral", "positive"]
    )
    for colour in ("vermilion", "green", "blue"):
        expect(models_page.locator(f"#sentiment-answer .fill.{colour}")).to_have_count(1)


def test_a_file_is_scored_and_comes_back(page, tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text("id,review\n" + "7,Awful.\n8,Wonderful!\n" * 150)
    page.locator("#sentiment-file input[type=file]").set_input_files(path)
    expect(page.get_by_text("300 rows, read as utf-8")).to_be_visible()
    page.locator("#sentiment-score").click()
    status = page.locator("#sentiment-status")
    expect(status).to_contain_text("Done")
    expect(status).to_contain_text("300 of 300 texts")
    expect(page.locator("#sentiment-histogram .columns div")).to_have_count(20)
    expect(page.get_by_text("The first 200 of 300 rows")).to_be_visible()
    page.locator("#sentiment-only input").click()
    page.get_by_role("option", name="positive").click()
    expect(page.get_by_text("150 of 300 rows; the CSV has them all.")).to_be_visible()
    with page.expect_download() as download:
        page.locator("#sentiment-download").click()
    lines = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert len(lines) == 301
    assert lines[1].startswith("1,7,Awful.,negative,")
    assert lines[2].startswith("2,8,Wonderful!,positive,")


def test_ten_thousand_rows_can_be_cancelled_and_keep_what_is_done(own_page, tmp_path):
    path = tmp_path / "many.csv"
    path.write_text(
        "review\n" + "An awful film, far too long and loud for its own good.\n" * 10_000
    )
    own_page.locator("#sentiment-file input[type=file]").set_input_files(path)
    expect(own_page.get_by_text("10,000 rows")).to_be_visible()
    own_page.locator("#sentiment-score").click()
    status = own_page.locator("#sentiment-status")
    expect(status).to_contain_text("texts/s")
    expect(own_page.locator("#sentiment-score")).to_be_disabled()
    own_page.locator("#sentiment-cancel").click()
    expect(status).to_contain_text("Cancelled")
    expect(own_page.locator("#sentiment-score")).to_be_enabled()
    with own_page.expect_download() as download:
        own_page.locator("#sentiment-download").click()
    rows = Path(download.value.path()).read_text("utf-8-sig").splitlines()[1:]
    assert 0 < len(rows) < 10_000
    assert f"{len(rows):,} of 10,000 texts" in status.inner_text()


def test_a_phone_shows_everything_at_its_width(new_context, app_url):
    context = new_context(375, 800)
    page = context.new_page()
    page.goto(app_url)
    page.get_by_role("tab", name="Sentiment").click()
    page.locator("#sentiment-text textarea").fill("The film was awful. " * 9)
    page.locator("#sentiment-words button").first.wait_for(timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
