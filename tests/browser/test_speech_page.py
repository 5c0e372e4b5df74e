"""Speaking as a visitor does, in a real Chromium."""

import json
import re
import threading
import zipfile

import numpy as np
import pytest
from gestures import bring_sound, launch_chromium, transcribe_example
from playwright.sync_api import expect
from speaking import RATE_HZ, speak, write_wav
from waiting import PATIENCE_S

from foundry.speech.live import listen
from foundry.ui.speech import live

pytestmark = pytest.mark.browser

SAID = "seven three one"
# What the microphone hears anew, and once more: however late a busy browser begins to record.
RECORDING_MS = 9_000


def open_speech(page, app_url):
    page.goto(app_url)
    page.get_by_role("tab", name="Speech").click()
    page.locator("#speech-start").wait_for()
    return page


@pytest.fixture
def speech(context, app_url):
    return open_speech(context.new_page(), app_url)


@pytest.fixture(scope="module")
def answered(new_shared_context, app_url):
    """A page on which the example has become words."""
    page = open_speech(new_shared_context().new_page(), app_url)
    transcribe_example(page)
    return page


@pytest.fixture(scope="module")
def unanswered(new_shared_context, app_url):
    """A page whose visitor brings what cannot be read."""
    return open_speech(new_shared_context().new_page(), app_url)


def words_of(page):
    return page.locator("#speech-transcript button[data-start]")


def test_an_example_becomes_words_a_picture_and_files(speech, tmp_path):
    expect(speech.locator("#speech-transcript")).to_contain_text("the words appear here")
    transcribe_example(speech)
    expect(words_of(speech)).to_have_text(["seven", "three", "one", "four"])
    expect(speech.locator("#speech-picture .words button")).to_have_count(4)
    expect(speech.locator("#speech-picture img")).to_be_visible()
    # A word stands under its sound: its place is the share of the recording before it.
    sound = speech.locator("#speech-picture .sound").bounding_box()
    last = speech.locator("#speech-picture .words button").last
    place = (last.bounding_box()["x"] - sound["x"]) / sound["width"]
    assert place == pytest.approx(float(last.get_attribute("data-start")) / 2.15, abs=0.03)
    with speech.expect_download() as downloaded:
        speech.get_by_role("button", name=re.compile("JSON")).click()
    answer = json.loads(downloaded.value.path().read_text())
    assert answer["text"] == "seven three one four"


# The second that a word plays is over before a busy machine has looked, so the page takes notes.
NOTE_WHAT_IS_SHOWN = """player => {
  window.shown = [];
  const note = () => window.shown.push(
    [player.innerText, player.querySelector('[aria-label="Pause"]') ? 'plays' : 'rests']);
  new MutationObserver(note).observe(
    player, { childList: true, subtree: true, characterData: true, attributes: true });
}"""


def test_a_pressed_word_is_played_and_captioned(speech):
    transcribe_example(speech)
    player = speech.locator("#speech-audio")
    player.evaluate(NOTE_WHAT_IS_SHOWN)
    expect(player).not_to_contain_text("seven three one four")
    words_of(speech).nth(2).click()
    speech.wait_for_function(
        "shown.some(([text, state]) => text.includes('seven three one four') && state == 'plays')"
    )


def test_what_plays_goes_on_from_a_word_that_is_pressed(speech, tmp_path):
    waveform = np.concatenate([speak(SAID)[0], np.zeros(30 * RATE_HZ, np.float32)])
    bring_sound(speech, write_wav(tmp_path / "said.wav", waveform))
    expect(words_of(speech)).to_have_text(SAID.split())
    plays = speech.locator("#speech-audio .play-pause-button[aria-label=Pause]")
    for number in (0, 2, 1):
        words_of(speech).nth(number).click()
        nearest = speech.locator("#speech-rivals .rivals .word").first
        expect(nearest).to_have_text(SAID.split()[number])
        speech.wait_for_timeout(500)
        expect(plays).to_be_visible()


def test_picture_and_words_follow_the_player(answered):
    # A player that is drawn late, on a busy machine, is none that has played.
    answered.locator("#speech-audio").evaluate(
        "async (player) => { player.append(' '); await new Promise((on) => setTimeout(on, 300)); }"
    )
    expect(answered.locator("#speech-picture .playhead")).to_be_hidden()
    answered.evaluate(
        """() => {
          window.heard = [];
          new MutationObserver(() => {
            const word = document.querySelector('#speech-transcript button.now');
            const line = document.querySelector('#speech-picture .playhead');
            if (word && !line.hidden) heard.push([word.innerText, parseFloat(line.style.left)]);
          }).observe(document.body, {subtree: true, attributes: true});
        }"""
    )
    words_of(answered).nth(1).click()
    answered.wait_for_function("heard.some(([word]) => word == 'four')")
    expect(answered.locator("#speech-transcript button.now")).to_have_count(0)
    order = answered.evaluate("[...new Set(heard.map(([word]) => word))]")
    assert order == ["three", "one", "four"]
    places = answered.evaluate("heard.map(([, place]) => place)")
    assert places == sorted(places)


def test_the_picture_goes_on_to_the_minute_of_a_word_that_is_pressed(speech, tmp_path):
    waveform = np.concatenate([np.zeros(60 * RATE_HZ, np.float32), speak(SAID)[0]])
    bring_sound(speech, write_wav(tmp_path / "late.wav", waveform))
    picture = speech.locator("#speech-picture")
    expect(picture).to_contain_text("to 1:00 of 1:01")
    expect(picture.locator(".words button")).to_have_count(0)
    words_of(speech).nth(1).click()
    expect(picture).to_contain_text("From 1:00 to 1:01")
    expect(picture.locator(".words button")).to_have_text(SAID.split())


def test_each_press_of_later_moves_and_the_same_word_brings_its_letters_back(speech, tmp_path):
    waveform = speak(" ".join([SAID] * 8 + ["four"]))[0]
    bring_sound(speech, write_wav(tmp_path / "said.wav", waveform))
    words, steps = words_of(speech), speech.locator("#speech-steps")
    words.first.click()
    read = steps.locator("section.path b")
    expect(read).to_have_text(re.compile("^seven"))
    first = read.inner_text()
    # A hurried hand: the next press comes before the answer.
    speech.evaluate("for (let n = 0; n < 30; n++) document.querySelector('#speech-later').click();")
    expect(read).to_have_text(re.compile("four$"))
    words.first.click()
    expect(read).to_have_text(first)


def test_the_score_shows_what_was_missed(answered):
    answered.locator("#speech-reference textarea").fill("Seven, three, nine four")
    answered.locator("#speech-compare").click()
    expect(answered.locator("#speech-score .figures")).to_contain_text("25.0%")
    expect(answered.locator("#speech-score .substitute")).to_have_text("nineone")
    # It is of these words only: other ones are not to stand above it.
    answered.get_by_role("radio", name=re.compile("greedy")).check()
    expect(answered.locator("#speech-score .figures")).to_have_count(0)
    answered.locator("#speech-compare").click()
    expect(answered.locator("#speech-score .figures")).to_contain_text("25.0%")
    # Another sound puts all of it away, and is answered.
    answered.get_by_role("button", name="Commands", exact=True).click()
    expect(words_of(answered)).not_to_have_text(["seven", "three", "one", "four"])
    expect(answered.locator("#speech-score .figures")).to_have_count(0)


def test_channel_by_channel_is_answered_at_once_and_for_one_sound_only(speech, tmp_path):
    left, right = speak("seven three")[0], speak("go left")[0]
    length = max(len(left), len(right))
    sides = np.stack([np.resize(left, length), np.resize(right, length)], 1)
    path = write_wav(tmp_path / "call.wav", sides)
    bring_sound(speech, path)
    switch = speech.get_by_label("Channel by channel")
    words = speech.locator("#speech-transcript")
    # A new sound puts the switch back, which another test's sound may have brought in sight.
    expect(words).to_contain_text("seven three")
    switch.check()
    expect(words).to_contain_text("Channel 2")
    # What the variants heard of another sound does not stand beside this one.
    bars = speech.locator("#speech-variants")
    speech.locator("#speech-audio").get_by_label("Clear").click()
    bring_sound(speech, path)
    expect(words_of(speech).first).to_be_visible()
    expect(words).not_to_contain_text("Channel 2")
    expect(switch).not_to_be_checked()
    heard = bars.locator("[data-variant=dense] .said")
    expect(heard).not_to_be_empty()
    long = write_wav(tmp_path / "long.wav", np.zeros(301 * RATE_HZ, np.float32))
    speech.locator("#speech-audio").get_by_label("Clear").click()
    bring_sound(speech, long)
    expect(speech.locator("#speech-status")).to_contain_text("press Transcribe")
    expect(heard).to_be_empty()


def test_a_long_file_shows_progress_and_can_be_cancelled(speech, tmp_path):
    long = np.resize(speak(SAID, 0.5)[0], 30 * 60 * RATE_HZ)
    path = write_wav(tmp_path / "long.wav", long)
    bring_sound(speech, path)
    expect(speech.locator("#speech-status")).to_contain_text("30:00 of sound: press Transcribe")
    speech.locator("#speech-start").click()
    expect(speech.locator("#speech-status")).to_contain_text("of 30:00")
    speech.locator("#speech-cancel").click()
    expect(speech.locator("#speech-status")).to_contain_text("Cancelled")
    speech.wait_for_timeout(1000)
    expect(speech.locator("#speech-status")).to_contain_text("Cancelled")


def test_pressed_while_a_file_is_on_its_way_it_starts_when_the_file_is_there(
    context, app_url, tmp_path
):
    speech = open_speech(context.new_page(), app_url)
    network = speech.context.new_cdp_session(speech)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 20_000}
    network.send("Network.emulateNetworkConditions", slow)
    path = write_wav(tmp_path / "said.wav", speak(SAID)[0])
    speech.locator("#speech-audio input[type=file]").set_input_files(path)
    expect(speech.locator("#speech-audio")).to_contain_text("Uploading")
    speech.locator("#speech-start").click()
    expect(words_of(speech)).to_have_text(SAID.split())
    expect(speech.locator("#speech-start")).to_be_enabled()


def test_what_is_not_sound_gets_a_sentence(unanswered, tmp_path):
    unanswered.locator("#speech-start").click()
    expect(unanswered.get_by_text("There is no sound yet")).to_be_visible()
    path = tmp_path / "speech.wav"
    path.write_text("This is a text file.")
    # No player to wait for: what cannot be played is hidden as soon as that is known.
    unanswered.locator("#speech-audio input[type=file]").set_input_files(path)
    status = unanswered.locator("#speech-status")
    expect(status).to_contain_text("is not a sound file that can be read here")
    expect(status).to_contain_text("Failed")
    assert "Traceback" not in unanswered.content()


def test_an_unknown_model_is_explained_and_the_shipped_one_stays(unanswered):
    box = unanswered.locator("#speech-model input")
    box.fill("/no/such/folder")
    box.press("Enter")
    expect(unanswered.locator("#speech-status")).to_contain_text("neither a folder")
    expect(box).to_have_value(re.compile("shipped"))
    transcribe_example(unanswered)


@pytest.fixture
def speaker(playwright, tmp_path, app_url):
    """The page in a Chromium whose microphone hears `SAID`, over and over."""
    waveform = speak(SAID, 0.4, before_s=1.0)[0]
    path = write_wav(
        tmp_path / "said.wav", np.concatenate([waveform, np.zeros(2 * RATE_HZ, np.float32)])
    )
    browser = launch_chromium(
        playwright,
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}",
    )
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(60_000)
    yield open_speech(page, app_url)
    browser.close()


def test_a_recording_is_transcribed(speaker):
    speaker.locator("#speech-audio").get_by_role("button", name="Record audio").click()
    speaker.locator("#speech-audio").get_by_role("button", name="Record", exact=True).click()
    speaker.wait_for_timeout(RECORDING_MS)
    expect(speaker.locator("#speech-start")).to_be_disabled()
    speaker.locator("#speech-audio").get_by_role("button", name="Stop").click()
    # It stays disabled until the server has the recording, and answers by itself.
    expect(speaker.locator("#speech-status")).to_contain_text("Done")
    # It may start and end in the middle of a word; some whole saying is between.
    assert SAID in " ".join(words_of(speaker).all_inner_texts())


def test_live_text_appears_settles_and_stays(speaker):
    listen, clear = (
        speaker.locator(f"#speech-{id}") for id in ("microphone .switch", "live-clear")
    )
    expect(clear).to_be_hidden()
    listen.click()
    text = speaker.locator("#speech-live .live")
    expect(text).to_contain_text(SAID)
    # Silence ends the sentence, and the next time is a new one. A busy machine may lose a piece of
    # sound.
    expect(text.locator("p").filter(has_text="seven").nth(1)).to_be_visible()
    expect(text.locator("p").first.locator(".partial")).to_have_count(0)
    first = text.locator("p").first.inner_text()
    listen.click()
    expect(listen).to_have_text("Listen")
    expect(text.locator(".partial")).to_have_count(0)
    assert text.locator("p").first.inner_text() == first
    clear.click()
    expect(speaker.locator("#speech-live")).to_contain_text("Press Listen")
    expect(clear).to_be_hidden()


def test_what_is_cleared_while_it_is_listening_does_not_come_back(speaker, monkeypatch):
    speaker.locator("#speech-microphone .switch").click()
    sentences = speaker.locator("#speech-live .live p").filter(has_text="seven")
    expect(sentences.nth(1)).to_be_visible()
    is_heard, goes_on = threading.Event(), threading.Event()

    def listen_slowly(*args):
        is_heard.set()
        assert goes_on.wait(PATIENCE_S)
        return listen(*args)

    monkeypatch.setattr(live, "listen", listen_slowly)
    assert is_heard.wait(PATIENCE_S)
    speaker.locator("#speech-live-clear").click()
    speaker.wait_for_timeout(500)
    goes_on.set()
    # Too short a time for more than one sentence to be said anew.
    speaker.wait_for_timeout(1500)
    assert sentences.count() <= 1
    expect(speaker.locator("#speech-live .live")).to_contain_text(SAID)


def test_the_tab_fits_a_phone(new_context, app_url):
    context = new_context(375, 800)
    page = open_speech(context.new_page(), app_url)
    transcribe_example(page, "Commands")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_several_recordings_become_a_table_captions_and_one_to_listen_to(speech, tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    files = [
        write_wav(tmp_path / "digits.wav", speak(SAID)[0]),
        tmp_path / "broken.wav",
        write_wav(tmp_path / "commands.wav", speak("go left")[0]),
    ]
    speech.locator("#speech-several-row > button").click()
    speech.locator("#speech-several input[type=file]").set_input_files(files)
    expect(speech.locator("#speech-several")).to_contain_text(re.compile(r"commands\s*\.wav"))
    speech.locator("#speech-several-start").click()
    expect(speech.locator("#speech-several-status")).to_contain_text("1 could not be read")
    rows = speech.locator("#speech-several-table tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text(SAID)
    with speech.expect_download() as downloaded:
        speech.locator("#speech-several-zip").click()
    with zipfile.ZipFile(downloaded.value.path()) as archive:
        assert "commands.vtt" in archive.namelist()
    rows.nth(2).get_by_role("button").click()
    expect(words_of(speech)).to_have_text(["go", "left"])
    # A row is of what was transcribed, whatever is in the field now.
    speech.locator("#speech-several").get_by_label("Clear").click()
    expect(speech.locator("#speech-several")).not_to_contain_text("commands")
    rows.nth(0).get_by_role("button").click()
    expect(words_of(speech)).to_have_text(SAID.split())
