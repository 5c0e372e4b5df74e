"""A transcript as the files that players and editors read: TXT, SRT, WebVTT and JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from foundry.speech.transcription import Transcript
from foundry.speech.words import Word

# What a viewer can read at a glance; subtitlers' usual figures.
_MAX_CHARACTERS, _MAX_CUE_S, _MAX_PAUSE_S = 42, 6.0, 0.8


@dataclass(frozen=True)
class Cue:
    """What is shown at once.

    Attributes:
        text: Words with single spaces between them.
        start_s: When it appears.
        end_s: When it goes.
    """

    text: str
    start_s: float
    end_s: float


def build_cues(words: Sequence[Word]) -> list[Cue]:
    """Group words into lines that can be read, broken at pauses.

    Args:
        words: In order.
    """
    return [
        Cue(" ".join(word.word for word in line), line[0].start_s, line[-1].end_s)
        for line in _break_lines(words)
    ]


def list_cues(transcript: Transcript) -> list[Cue]:
    """Return a transcript's lines in order; those of several channels begin with its number."""
    cues = [
        replace(cue, text=f"{number}: {cue.text}" if number else cue.text)
        for number, part in _number_channels(transcript)
        for cue in build_cues(part.words)
    ]
    return sorted(cues, key=lambda cue: cue.start_s)


def list_subtitles(transcript: Transcript) -> list[dict[str, Any]]:
    """Return what Gradio's player shows: texts with the seconds at which they come and go."""
    return [
        {"text": cue.text, "timestamp": [cue.start_s, cue.end_s]} for cue in list_cues(transcript)
    ]


def _number_channels(transcript: Transcript) -> list[tuple[int, Transcript]]:
    """Return channels with numbers from 1; the whole with 0, if they were not told apart."""
    return list(enumerate(transcript.channels, start=1)) or [(0, transcript)]


def _break_lines(words: Sequence[Word]) -> Iterator[list[Word]]:
    line: list[Word] = []
    for word in words:
        if line and (
            word.start_s - line[-1].end_s > _MAX_PAUSE_S
            or word.end_s - line[0].start_s > _MAX_CUE_S
            or sum(len(known.word) + 1 for known in line) + len(word.word) > _MAX_CHARACTERS
        ):
            yield line
            line = []
        line.append(word)
    if line:
        yield line


def format_txt(transcript: Transcript) -> str:
    """Return the text, a line for each cue."""
    return "".join(f"{cue.text}\n" for cue in list_cues(transcript))


def format_srt(transcript: Transcript) -> str:
    """Return SubRip: numbered cues with a comma before the milliseconds."""
    return "".join(
        f"{number}\n{_clock(cue.start_s, ',')} --> {_clock(cue.end_s, ',')}\n{cue.text}\n\n"
        for number, cue in enumerate(list_cues(transcript), start=1)
    )


def format_vtt(transcript: Transcript) -> str:
    """Return WebVTT, with the time of every word inside its cue, and its channel as the voice.

    Source:
        WebVTT: The Web Video Text Tracks Format, W3C, sections 4.2.2 and 6.4.
    """
    cues = []
    lines = [
        (line, f"<v Channel {number}>" if number else "")
        for number, part in _number_channels(transcript)
        for line in _break_lines(part.words)
    ]
    for line, voice in sorted(lines, key=lambda one: one[0][0].start_s):
        text = " ".join(
            [_escape(line[0].word), *(f"<{_clock(w.start_s)}>{_escape(w.word)}" for w in line[1:])]
        )
        cues.append(f"{_clock(line[0].start_s)} --> {_clock(line[-1].end_s)}\n{voice}{text}\n\n")
    return "WEBVTT\n\n" + "".join(cues)


def format_json(transcript: Transcript, model: str, variant: str) -> str:
    """Return what `/transcribe` answers."""
    return (
        json.dumps(
            as_dict(transcript, model, variant), indent=2, ensure_ascii=False, allow_nan=False
        )
        + "\n"
    )


def as_dict(transcript: Transcript, model: str, variant: str) -> dict[str, Any]:
    """Return plain values: text, words with times and confidences, duration, what produced it.

    Without words there is also why; of channels that were transcribed one by one also each.

    Args:
        transcript: What was said.
        model: Name of the model.
        variant: Of the model.
    """
    answer = _heard(transcript) | {
        "duration_s": round(transcript.duration_s, 3),
        "model": model,
        "variant": variant,
    }
    answer |= _reason(transcript)
    if transcript.channels:
        answer["channels"] = [
            {"channel": number} | _heard(part) | _reason(part)
            for number, part in _number_channels(transcript)
        ]
    return answer


def _heard(transcript: Transcript) -> dict[str, Any]:
    words = [asdict(word) | {"confidence": round(word.confidence, 4)} for word in transcript.words]
    return {"text": transcript.text, "words": words}


def _reason(transcript: Transcript) -> dict[str, Any]:
    no_words = transcript.no_words
    return {"reason": no_words.reason, "reason_text": no_words.sentence} if no_words else {}


def _clock(time_s: float, point: str = ".") -> str:
    """Return hours, minutes, seconds and milliseconds."""
    total_s, ms = divmod(round(time_s * 1000), 1000)
    return f"{total_s // 3600:02}:{total_s // 60 % 60:02}:{total_s % 60:02}{point}{ms:03}"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
