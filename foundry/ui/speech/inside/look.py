"""A stretch of a recording as the model heard it -> what the chart draws, and what became of it.

Nothing here touches Gradio.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from foundry.speech.decoding.beam import END
from foundry.speech.decoding.letters import Collapse, Letters, collapse_path
from foundry.speech.decoding.rivals import MAX_FRAMES, Rival, rank_spellings, rank_words
from foundry.speech.transcription import BEAM, Recogniser
from foundry.speech.words import Alphabet, FrameClock, Span, read_path

# What is in sight at once: as much as a word and a little around it, or as fits a screen.
_AROUND_S, _SHORTEST_S, _LONGEST_S = 0.24, 1.2, 3.0
# A letter that is never so probable has no row.
_LEAST_PROB = 0.03
BLANK_SIGN, SPACE_SIGN = "–", "␣"
# A word further away (1 s in the usual 20 ms) says nothing about this one.
_BESIDE_FRAMES = 50

HINT = "Press a word above: its letters over time appear here, and what else it may have been."
GONE = "The letters of this recording are not kept any more; transcribe it again to see them."
TOO_SHORT = "This recording is shorter than what one letter is heard in, so it has none."
LATER = "The letters of the first hour are kept, and this is later in the recording."


@dataclass(frozen=True)
class Stretch:
    """Frames of a recording.

    Attributes:
        start: The first one.
        end: The one after the last.
    """

    start: int
    end: int


def choose_stretch(start_s: float, end_s: float, clock: FrameClock, num_frames: int) -> Stretch:
    """Choose what to show of a word, or of any part of a recording.

    Args:
        start_s: Where the part begins.
        end_s: Where it ends; what is too long to be shown at once is cut.
        clock: Of the frames.
        num_frames: Of the recording.

    Returns:
        At least one frame, if there is one.
    """
    missing_s = max(_AROUND_S, (_SHORTEST_S - (end_s - start_s)) / 2)
    start = int((start_s - missing_s) / clock.stride_s)
    length = round(min(_LONGEST_S, end_s - start_s + 2 * missing_s) / clock.stride_s)
    start = max(0, min(start, num_frames - length))
    return Stretch(start, min(num_frames, start + length))


def move_stretch(stretch: Stretch, direction: int, num_frames: int) -> Stretch:
    """Return the stretch before or after one, as long as it.

    Args:
        stretch: What is in sight.
        direction: -1 or 1.
        num_frames: Of the recording.
    """
    length = stretch.end - stretch.start
    start = max(0, min(stretch.start + direction * length, num_frames - length))
    return Stretch(start, start + length)


def render_chart(letters: Letters, stretch: Stretch, recogniser: Recogniser, decoding: str) -> str:
    """Return what the chart draws, as JSON: letters by frames, and the paths through them.

    Args:
        letters: Of the whole recording.
        stretch: What to show of it.
        recogniser: The model.
        decoding: How words were found; the path of the word list is shown where there is one.
    """
    alphabet, clock = recogniser.alphabet, recogniser.clock
    part = letters.cut(stretch.start, stretch.end)
    probs = np.exp(part.log_probs.astype(np.float32))
    free, path = part.free_labels, part.labels
    shown = {int(label) for label in np.flatnonzero(probs.max(0, initial=0.0) >= _LEAST_PROB)}
    shown |= set(free.tolist()) | set(path.tolist()) | {alphabet.blank}
    rows = sorted(shown, key=lambda label: _row_key(label, alphabet))
    place = {label: row for row, label in enumerate(rows)}
    cells = np.round(255 * probs[:, rows].T.clip(0, 1)).astype(np.uint8)
    return json.dumps(
        {
            "symbols": [_sign(label, alphabet) for label in rows],
            "cells": base64.b64encode(cells.tobytes()).decode(),
            "startS": round(clock.start_s(stretch.start), 3),
            "strideS": clock.stride_s,
            "free": [place[label] for label in free.tolist()],
            "path": [place[label] for label in path.tolist()] if decoding == BEAM else None,
            "words": [
                {"word": span.word, "first": span.first, "last": span.last}
                for span in read_path(path, np.ones(len(path)), alphabet)
            ],
        },
        allow_nan=False,
    )


def _row_key(label: int, alphabet: Alphabet) -> tuple[int, str]:
    """Letters in their order, then the space, and the blank at the bottom."""
    symbol = alphabet.symbols[label]
    return (2 if label == alphabet.blank else 1 if symbol == alphabet.delimiter else 0, symbol)


def _sign(label: int, alphabet: Alphabet) -> str:
    if label == alphabet.blank:
        return BLANK_SIGN
    symbol = alphabet.symbols[label]
    return SPACE_SIGN if symbol == alphabet.delimiter else symbol


def steps_html(letters: Letters, stretch: Stretch, recogniser: Recogniser, decoding: str) -> str:
    """Return how CTC reads both paths, step by step, and what the word list changed.

    Args:
        letters: Of the whole recording.
        stretch: What is in sight.
        recogniser: The model.
        decoding: How words were found.
    """
    alphabet = recogniser.alphabet
    part = letters.cut(stretch.start, stretch.end)
    heard = collapse_path(part.free_labels, alphabet)
    parts = [_path_html("Letter by letter (greedy)", "free", heard, alphabet)]
    if decoding == BEAM:
        found = collapse_path(part.labels, alphabet)
        parts.append(_path_html("With the word list (beam)", "path", found, alphabet))
        parts.append(f"<p>{_compare(heard.text, found.text)}</p>")
    return f'<div class="steps">{"".join(parts)}</div>'


def _compare(heard: str, found: str) -> str:
    if heard == found:
        return "The word list changed nothing here."
    if not found:
        return f"No word of the list fits “{escape(heard)}”."
    return f"The word list made “{escape(heard)}” into “{escape(found)}”."


def _path_html(title: str, name: str, collapse: Collapse, alphabet: Alphabet) -> str:
    steps = (
        ("Every frame", _signs_html(collapse.frames, alphabet)),
        ("Repeats merged", _signs_html(collapse.merged, alphabet)),
        ("Blanks dropped", f"<b>{escape(collapse.text) or '&nbsp;'}</b>"),
    )
    rows = "".join(
        f'<dt>{label}</dt><dd class="notranslate" translate="no">{signs}</dd>'
        for label, signs in steps
    )
    return f'<section class="{name}"><h5>{title}</h5><dl>{rows}</dl></section>'


def _signs_html(symbols: Sequence[str], alphabet: Alphabet) -> str:
    """Return symbols one after another, runs of one letter together."""
    runs: list[list[str]] = []
    for symbol in symbols:
        if runs and runs[-1][0] == symbol:
            runs[-1].append(symbol)
        else:
            runs.append([symbol])
    return "".join(
        f"<i>{BLANK_SIGN * len(run)}</i>"
        if not run[0]
        else f"<span>{escape(SPACE_SIGN if run[0] == alphabet.delimiter else run[0]) * len(run)}"
        "</span>"
        for run in runs
    )


def rivals_html(
    letters: Letters, start_s: float, end_s: float, recogniser: Recogniser, decoding: str
) -> str:
    """Return what else a word may have been, with shares.

    Args:
        letters: Of the whole recording.
        start_s: Where the word begins.
        end_s: Where it ends.
        recogniser: The model.
        decoding: How it was found.
    """
    clock = recogniser.clock
    first = max(0, int(start_s / clock.stride_s) - MAX_FRAMES)
    part = letters.cut(first, round(end_s / clock.stride_s) + MAX_FRAMES)
    spans = read_path(part.labels, np.ones(len(part.labels)), recogniser.alphabet)
    chosen = [
        number
        for number, span in enumerate(spans)
        if start_s <= _middle_s(first + (span.first + span.last) // 2, clock) <= end_s
    ]
    if not chosen:
        return ""
    if len(chosen) > 1:
        words = " ".join(spans[number].word for number in chosen)
        return (
            f"<h5>What else it may have been</h5><p>These are several words; the nearest on the "
            f'list are “<span translate="no">{escape(words)}</span>”.</p>'
        )
    rivals = _rank(part, spans, chosen[0], recogniser, decoding)
    rows = "".join(
        f'<span class="word" translate="no">{escape(rival.word) or "&nbsp;"}</span>'
        f'<div class="track"><div class="fill" style="width:{rival.share:.2%}"></div></div>'
        f"<span>{_percent(rival.share)}</span>"
        for rival in rivals
    )
    return f'<h5>What else it may have been</h5><div class="rivals">{rows}</div>'


def _middle_s(frame: int, clock: FrameClock) -> float:
    # Where it begins, a word may begin as well, and rounding decides which is earlier.
    return (clock.start_s(frame) + clock.end_s(frame)) / 2


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}" if share >= 0.001 else "< 0.1%"


def _rank(
    part: Letters, spans: Sequence[Span], number: int, recogniser: Recogniser, decoding: str
) -> list[Rival]:
    span = spans[number]
    before = spans[number - 1] if number else None
    after = spans[number + 1] if number + 1 < len(spans) else None
    start = max((before.last + span.first + 1) // 2 if before else 0, span.first - _BESIDE_FRAMES)
    end = (span.last + after.first + 1) // 2 if after else len(part.labels)
    end = min(end, span.last + _BESIDE_FRAMES)
    log_probs = part.log_probs[start:end].astype(np.float32)
    if decoding != BEAM or recogniser.beam is None:
        return rank_spellings(log_probs, recogniser.alphabet)
    is_near = before and span.first - before.last <= _BESIDE_FRAMES
    is_followed = after and after.first - span.last <= _BESIDE_FRAMES
    return rank_words(
        log_probs,
        recogniser.beam,
        before.word if before and is_near else END,
        after.word if after and is_followed else END,
    )


STEPS_CSS = """
h5 { margin: 0.8rem 0 0.2rem; font-size: 0.9rem; font-weight: 650; }
p { margin: 0.6rem 0 0; }
.steps { display: grid; gap: 0 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
.steps p { grid-column: 1 / -1; }
section.free h5 { color: var(--foundry-wrong); }
dl { display: grid; grid-template-columns: 7.5rem minmax(0, 1fr); gap: 0.15rem 0.8rem; margin: 0; }
dt { color: var(--body-text-color-subdued); font-size: 0.8rem; padding-top: 0.15rem; }
dd { margin: 0; font-family: var(--font-mono); overflow-wrap: anywhere; letter-spacing: 0.05em; }
dd i { font-style: normal; color: var(--body-text-color-subdued); }
dd span { padding: 0 1px; border-radius: 3px; background: var(--background-fill-secondary);
  margin-right: 1px; }
.rivals { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; gap: 4px 10px;
  align-items: center; max-width: 34rem; font-variant-numeric: tabular-nums; }
.rivals .word { font-weight: 600; }
.rivals .track { height: 12px; border-radius: 3px; background: var(--background-fill-secondary); }
.rivals .fill { height: 100%; border-radius: 3px; background: var(--foundry-blue);
  min-width: 1px; }
"""
