"""Several recordings: what each says, what cannot be read, the table and the ZIP of captions."""

import csv
import io
import zipfile
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from speaking import speak, write_wav

from foundry.errors import InputError
from foundry.speech import captions, load_recogniser, transcribe
from foundry.speech.audio import open_audio
from foundry.speech.several import (
    MAX_RECORDINGS,
    Heard,
    check_number,
    transcribe_files,
    write_captions,
    write_table,
)
from foundry.speech.transcription import BEAM, Transcript
from foundry.speech.words import Word


@pytest.fixture(scope="module")
def recogniser():
    return load_recogniser("wav2vec2-commands")


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    (folder / "bad.wav").write_bytes(b"no sound")
    return [
        write_wav(folder / "=seven.wav", speak("seven three one")[0]),
        folder / "bad.wav",
        write_wav(folder / "go.wav", speak("go left")[0]),
    ]


def test_each_is_heard_as_it_is_alone_and_the_unreadable_says_why(recogniser, paths):
    events = list(transcribe_files(recogniser, paths, BEAM))
    for number, path in enumerate(paths):
        own = [event for event in events if event.number == number]
        shares = [event.share for event in own]
        assert shares == sorted(shares) and shares[-1] == 1
        assert [event.heard is not None for event in own] == [False] * (len(own) - 1) + [True]
        assert own[-1].heard.file == path.name
    heard = [event.heard for event in events if event.heard]
    assert len(heard) == 3
    assert heard[1].transcript is None and heard[1].problem
    for one, path in zip(heard[::2], paths[::2], strict=True):
        assert one.transcript == transcribe(recogniser, open_audio(path), BEAM)


def make_heard(file, text="", doubtful=()):
    words = tuple(
        Word(word, float(i), i + 0.5, 0.9, word in doubtful) for i, word in enumerate(text.split())
    )
    return Heard(file, Transcript(words, float(len(words))))


def test_the_table_has_a_row_for_each_and_no_formulas(tmp_path):
    heard = [make_heard("=a.wav", "go left", ["left"]), Heard("b.wav", None, "It is empty.")]
    with write_table(heard, tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        first, second = csv.DictReader(file)
    assert first == {
        "file": "'=a.wav",
        "seconds": "2.0",
        "text": "go left",
        "words": "2",
        "in_doubt": "1",
        "doubtful_words": "left",
        "problem": "",
    }
    assert second["problem"] == "It is empty." and second["text"] == second["seconds"] == ""


def test_the_zip_has_captions_of_all_that_was_heard_and_the_table(tmp_path):
    heard = [make_heard("a.wav", "go"), make_heard("A.mp3", "stop"), Heard("c.wav", None, "No.")]
    with zipfile.ZipFile(write_captions(heard, tmp_path / "captions.zip")) as archive:
        texts = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    stems = ["a", "A (2)"]
    assert set(texts) == {
        "recordings.csv",
        *(f"{stem}.{ending}" for stem in stems for ending in ("txt", "srt", "vtt")),
    }
    assert texts["a.srt"] == captions.format_srt(heard[0].transcript)
    assert texts["A (2).vtt"] == captions.format_vtt(heard[1].transcript)
    assert len(list(csv.reader(io.StringIO(texts["recordings.csv"])))) == 4


@given(st.lists(st.sampled_from(["a.wav", "A.WAV", "a (2).mp3", "a (2) (2).ogg", "b"]), max_size=8))
def test_no_file_in_the_zip_takes_the_place_of_another(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("zip") / "captions.zip"
    with zipfile.ZipFile(
        write_captions([make_heard(name, "go") for name in names], path)
    ) as zipped:
        written = [name.lower() for name in zipped.namelist()]
    assert len(written) == len(set(written)) == 1 + 3 * len(names)
    assert all(PurePath(name).name == name for name in written)


@pytest.mark.parametrize(
    ("number", "sentence"), [(0, "no recordings yet"), (MAX_RECORDINGS + 1, "at most 100 at once")]
)
def test_too_many_and_none_are_a_sentence(number, sentence):
    with pytest.raises(InputError, match=sentence):
        check_number(["a.wav"] * number)
