"""Transcripts, progress and scores -> HTML; nothing here touches Gradio."""

from collections.abc import Sequence
from html import escape

from foundry.speech import Transcript
from foundry.speech.live import LiveState
from foundry.speech.score import Score
from foundry.speech.words import Word
from foundry.ui.components.plots import figures

# A longer pause starts a new paragraph.
_PARAGRAPH_PAUSE_S = 1.5
# Confidence from which a word is taken as sure, and as likely.
_SURE, _LIKELY = 0.9, 0.6
_MAX_LIVE_SENTENCES = 30

EMPTY = (
    '<p class="hint">Record yourself, upload a file or choose an example: the words appear '
    "here.</p>"
)
NO_WORDS = "No words were heard in this recording."
LEGEND = (
    '<p class="legend"><span class="sure">sure</span><span class="likely">likely</span>'
    '<span class="unsure">unsure</span><span class="doubtful">in doubt</span>'
    "<i>Press a word to hear it, and to see what else it may have been.</i></p>"
)
LIVE_HINT = "Press Listen and speak: words are grey while they may change, then stay as they are."


def _band(confidence: float) -> str:
    return "sure" if confidence >= _SURE else "likely" if confidence >= _LIKELY else "unsure"


def word_button(word: Word, style: str = "", channel: int = 0) -> str:
    """Return a word that can be pressed to play from there, coloured by confidence.

    Args:
        word: What was heard; it looks doubtful if it is.
        style: Of the button.
        channel: Of the recording, from 0.
    """
    band, title = _band(word.confidence), f"{word.confidence:.0%}"
    if word.doubtful:
        band, title = "doubtful", f"in doubt, {title}"
    return (
        f'<button type="button" class="{band}" data-start="{word.start_s:.2f}" '
        f'data-end="{word.end_s:.2f}" data-channel="{channel}" '
        f'style="{style}" title="{title}, '
        f'{word.start_s:.2f}–{word.end_s:.2f} s">{escape(word.word)}</button>'
    )


def transcript_html(transcript: Transcript | None) -> str:
    """Return the words as text, in paragraphs with the time at which they begin, by channel.

    Args:
        transcript: What was said; None before anything was transcribed.
    """
    if transcript is None:
        return EMPTY
    if not transcript.channels:
        return _paragraphs_html(transcript) + (LEGEND if transcript.words else "")
    parts = "".join(
        f"<h4>{name_channel(number)}</h4>{_paragraphs_html(part, number - 1)}"
        for number, part in enumerate(transcript.channels, start=1)
    )
    return parts + (LEGEND if transcript.words else "")


def name_channel(number: int) -> str:
    """Return a channel's heading.

    Args:
        number: From 1.
    """
    return f"Channel {number}"


def _paragraphs_html(transcript: Transcript, channel: int = 0) -> str:
    if not transcript.words:
        why = f"<p>{escape(transcript.no_words.sentence)}</p>" if transcript.no_words else ""
        return f'<div class="hint"><p>{NO_WORDS}</p>{why}</div>'
    paragraphs: list[list[Word]] = []
    for word in transcript.words:
        if paragraphs and word.start_s - paragraphs[-1][-1].end_s <= _PARAGRAPH_PAUSE_S:
            paragraphs[-1].append(word)
        else:
            paragraphs.append([word])
    rows = "".join(
        f"<time>{clock(paragraph[0].start_s)}</time>"
        f"<p>{' '.join(word_button(word, channel=channel) for word in paragraph)}</p>"
        for paragraph in paragraphs
    )
    return f'<div class="paragraphs" translate="no">{rows}</div>'


def transcript_figures(transcript: Transcript, elapsed_s: float) -> str:
    """Return the headline figures: how much was said, how sure, how quickly.

    Args:
        transcript: The result.
        elapsed_s: From the open file to the words.
    """
    words = transcript.words
    mean = sum(word.confidence for word in words) / len(words) if words else None
    return figures(
        {
            "words": f"{len(words):,}",
            "recording": clock(transcript.duration_s),
            "in doubt": f"{sum(word.doubtful for word in words):,}",
            "mean confidence": f"{mean:.0%}" if mean is not None else "–",
            "to transcribe": f"{elapsed_s:.2f} s" if elapsed_s < 10 else clock(elapsed_s),
            "real-time factor": f"{elapsed_s / max(transcript.duration_s, 0.1):.3f}",
        }
    )


def score_html(score: Score) -> str:
    """Return both error rates and, word by word, what was said above what was heard."""
    counts = {
        kind: sum(word.kind == kind for word in score.words)
        for kind in ("substitute", "delete", "insert")
    }
    pairs = "".join(
        f'<div class="{word.kind}"><span>{escape(word.reference) or "&nbsp;"}</span>'
        f"<span>{escape(word.heard) or '&nbsp;'}</span></div>"
        for word in score.words
    )
    return (
        figures(
            {
                "word error rate": f"{score.wer:.1%}",
                "character error rate": f"{score.cer:.1%}",
                "wrong": str(counts["substitute"]),
                "missed": str(counts["delete"]),
                "inserted": str(counts["insert"]),
            }
        )
        + f'<div class="alignment" translate="no">{pairs}</div>'
        + '<p class="foundry-note">Above what was said, below what was heard; case and '
        "punctuation do not count.</p>"
    )


def live_html(state: LiveState | None) -> str:
    """Return what was said into the microphone so far: settled words in full colour, others grey.

    Args:
        state: From `listen()`; None before anything was said.
    """
    if state is None or not (state.sentences or state.settled or state.partial):
        return f'<p class="hint">{LIVE_HINT}</p>'
    rows = [f"<p>{_join(sentence)}</p>" for sentence in state.sentences[-_MAX_LIVE_SENTENCES:]]
    if state.settled or state.partial:
        rows.append(
            f'<p>{_join(state.settled)} <span class="partial">{_join(state.partial)}</span></p>'
        )
    return f'<div class="live" aria-live="polite" translate="no">{"".join(rows)}</div>'


def _join(words: Sequence[Word]) -> str:
    return escape(" ".join(word.word for word in words))


def clock(time_s: float) -> str:
    """Return a time for people: 0:07.3, 12:34, 1:02:03."""
    whole = int(time_s)
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 60}:{whole % 60:02}" + (f".{int(time_s * 10) % 10}" if whole < 60 else "")


# Clicks on words of either HTML component arrive as its `select` event.
WORDS_JS = """
element.addEventListener('click', (event) => {
  const word = event.target.closest('button[data-start]');
  if (word) trigger('select', {start_s: Number(word.dataset.start),
    end_s: Number(word.dataset.end), channel: Number(word.dataset.channel)});
});
"""
# The player's button while it plays: by its sign, for its name is in the visitor's language.
PLAYING = ".play-pause-button:has(rect)"
# The player's own button, so that captions and cursor follow. What plays goes on from the word.
PLAY_JS = f"""
() => {{
  const player = document.querySelector('#speech-audio');
  if (!player.querySelector('{PLAYING}')) player.querySelector('.play-pause-button')?.click();
}}
"""
CONFIDENCE_CSS = """
.sure { --confidence: var(--foundry-blue); }
.likely { --confidence: var(--foundry-orange); }
.unsure, .doubtful { --confidence: var(--foundry-vermilion); }
.words button.doubtful, .paragraphs button.doubtful { color: var(--body-text-color-subdued);
  font-style: italic; }
.words button.doubtful { border-top-style: dotted; }
.paragraphs button.doubtful, .legend .doubtful { border-bottom-style: dotted; }
button.now { background: var(--background-fill-secondary); font-weight: 600; }
"""
TRANSCRIPT_CSS = (
    CONFIDENCE_CSS
    + """
.hint { color: var(--body-text-color-subdued); margin: 0.6rem 0; }
.hint p { margin: 0 0 0.3rem; }
h4 { margin: 0.9rem 0 0.2rem; font-size: 1rem; }
.paragraphs { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0.3rem 0.9rem;
  max-height: 24rem; overflow-y: auto; }
time { color: var(--body-text-color-subdued); font-size: 0.8rem; padding-top: 0.5rem;
  font-variant-numeric: tabular-nums; }
.paragraphs p { margin: 0; font-size: 1.25rem; line-height: 1.9; }
.paragraphs button { font: inherit; line-height: 1.25; padding: 0 1px; margin: 0; border: 0;
  background: none; color: inherit; cursor: pointer; border-bottom: 3px solid var(--confidence); }
.paragraphs button:hover, .paragraphs button:focus-visible {
  background: var(--background-fill-secondary); }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; margin: 0.7rem 0 0; font-size: 0.8rem;
  color: var(--body-text-color-subdued); }
.legend span { border-bottom: 3px solid var(--confidence); }
.legend i { font-style: normal; }
"""
)
LIVE_CSS = """
.hint { color: var(--body-text-color-subdued); margin: 0.6rem 0; }
.live { max-height: 16rem; overflow-y: auto; }
.live p { margin: 0 0 0.3rem; font-size: 1.25rem; line-height: 1.6; }
.partial { color: var(--body-text-color-subdued); }
/* Before anything was said there is nothing to clear. */
.one-and-two:has(& .hint) #speech-live-clear { display: none; }
"""
SCORE_CSS = """
.alignment { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 0.8rem; max-height: 16rem;
  overflow-y: auto; }
.alignment div { display: grid; text-align: center; padding: 2px 7px; border-radius: 4px;
  border-bottom: 3px solid transparent; background: var(--background-fill-secondary); }
.alignment span:last-child { color: var(--body-text-color-subdued); }
.alignment .substitute { border-color: var(--foundry-vermilion); }
.alignment .delete { border-color: var(--foundry-orange); }
.alignment .insert { border-color: var(--foundry-sky); }
"""
