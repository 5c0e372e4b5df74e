import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundry.speech import Transcript, captions
from foundry.speech.words import Word

STAMP = re.compile(r"(\d\d):(\d\d):(\d\d)[.,](\d\d\d)")


def say(*words, start_s=0.0, pause_s=0.1):
    said = []
    for word in words:
        said.append(Word(word, round(start_s, 3), round(start_s + 0.4, 3), 0.5))
        start_s += 0.4 + pause_s
    return tuple(said)


def seconds(stamp):
    hours, minutes, secs, ms = map(int, STAMP.fullmatch(stamp).groups())
    return 3600 * hours + 60 * minutes + secs + ms / 1000


transcripts = st.lists(
    st.tuples(
        st.text(alphabet="abc<&>'", min_size=1, max_size=12), st.floats(0, 3), st.floats(0.01, 2)
    ),
    max_size=40,
).map(
    lambda items: Transcript(
        tuple(
            Word(word, start, start + length, 0.5)
            for start, (word, _, length) in zip(
                [sum(p + ln for _, p, ln in items[:i]) + items[i][1] for i in range(len(items))],
                items,
                strict=True,
            )
        ),
        300.0,
    )
)


@given(transcripts)
def test_cues_hold_every_word_once_in_order_and_do_not_overlap(transcript):
    cues = captions.build_cues(transcript.words)
    assert " ".join(cue.text for cue in cues) == transcript.text
    times = [time for cue in cues for time in (cue.start_s, cue.end_s)]
    assert times == sorted(times)
    assert all(len(cue.text) <= 42 or " " not in cue.text for cue in cues)


@given(transcripts)
def test_srt_can_be_read_back(transcript):
    blocks = [block for block in captions.format_srt(transcript).split("\n\n") if block]
    cues = captions.build_cues(transcript.words)
    assert len(blocks) == len(cues)
    for number, (block, cue) in enumerate(zip(blocks, cues, strict=True), start=1):
        place, times, text = block.split("\n")
        start, end = times.split(" --> ")
        assert (int(place), text) == (number, cue.text)
        assert (seconds(start), seconds(end)) == pytest.approx((cue.start_s, cue.end_s), abs=6e-4)


@given(transcripts)
def test_the_words_of_a_vtt_cue_carry_their_times(transcript):
    vtt = captions.format_vtt(transcript)
    assert vtt.startswith("WEBVTT\n\n")
    bodies = [block.split("\n") for block in vtt.split("\n\n")[1:] if block]
    tagged = [
        seconds(stamp)
        for times, text in bodies
        for stamp in [times.split(" --> ")[0], *re.findall(r"<([\d:.]+)>", text)]
    ]
    assert tagged == pytest.approx([word.start_s for word in transcript.words], abs=6e-4)
    for _, text in bodies:
        # What is left without the time tags is escaped: no tag, no bare ampersand.
        bare = re.sub(r"<[\d:.]+>", " ", text)
        assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", bare)


def test_lines_break_at_pauses_and_when_they_are_full():
    words = say("one", "two") + say("three", start_s=3.0)
    assert [cue.text for cue in captions.build_cues(words)] == ["one two", "three"]
    cues = captions.build_cues(say(*["seven"] * 20, pause_s=0.0))
    assert [cue.text for cue in cues] == [" ".join(["seven"] * 7)] * 2 + [" ".join(["seven"] * 6)]
    assert captions.format_txt(Transcript(words, 4.0)) == "one two\nthree\n"


def test_hours_are_counted():
    (word,) = say("late", start_s=3725.5)
    transcript = Transcript((word,), 4000.0)
    assert captions.format_srt(transcript) == ("1\n01:02:05,500 --> 01:02:05,900\nlate\n\n")
    # Rounding up to the next second is carried over.
    assert "00:01:00.000" in captions.format_vtt(Transcript((Word("a", 59.9999, 61, 1),), 62))


def test_json_is_what_the_endpoint_answers():
    transcript = Transcript(say("one", "two"), 1.23456)
    answer = json.loads(captions.format_json(transcript, "m", "dense"))
    assert answer == captions.as_dict(transcript, "m", "dense")
    assert list(answer) == ["text", "words", "duration_s", "model", "variant"]
    times = {"start_s": 0.5, "end_s": 0.9}
    assert answer["words"][1] == {"word": "two", **times, "confidence": 0.5, "doubtful": False}
    assert (answer["text"], answer["duration_s"]) == ("one two", 1.235)


def test_nothing_said_is_an_empty_file_that_players_accept():
    nothing = Transcript((), 2.0)
    assert captions.format_txt(nothing) == captions.format_srt(nothing) == ""
    assert captions.format_vtt(nothing) == "WEBVTT\n\n"
