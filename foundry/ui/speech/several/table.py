"""Several recordings -> HTML; nothing here touches Gradio."""

from html import escape

from foundry.speech.several import Heard
from foundry.ui.speech.view import NO_WORDS, clock

TABLE_CSS = """
table { width: 100%; border-collapse: collapse; font-size: 0.9rem; table-layout: fixed; }
th, td { text-align: start; padding: 0.35rem 0.6rem 0.35rem 0; vertical-align: top;
  border-bottom: 1px solid var(--border-color-primary); overflow-wrap: anywhere; }
th { font-weight: 500; color: var(--body-text-color-subdued); }
th:nth-child(1) { width: 26%; }
th:nth-child(2), th:nth-child(3) { width: 5rem; }
td:nth-child(2), td:nth-child(3), th:nth-child(2), th:nth-child(3) { text-align: end;
  padding-inline-end: 1rem; white-space: nowrap; font-variant-numeric: tabular-nums; }
button { font: inherit; text-align: start; padding: 0; margin: 0; border: 0; background: none;
  color: inherit; cursor: pointer; text-decoration: underline; overflow-wrap: anywhere; }
button:focus-visible { outline: 2px solid var(--primary-500); }
i { color: var(--body-text-color-subdued); border-bottom: 2px dotted var(--foundry-vermilion); }
.none { color: var(--body-text-color-subdued); }
.problem { color: var(--foundry-wrong); }
/* On a telephone the text stands below its file. */
@media (max-width: 640px) {
  tr { display: grid; grid-template-columns: minmax(0, 1fr) 5rem 5rem;
    border-bottom: 1px solid var(--border-color-primary); }
  th, td { border-bottom: 0; }
  th:nth-child(n) { width: auto; }
  th:nth-child(4), td:nth-child(4) { grid-column: 1 / -1; padding-top: 0; }
}
"""
TABLE_JS = """
element.addEventListener('click', (event) => {
  const file = event.target.closest('button[data-recording]');
  if (!file) return;
  trigger('select', {recording: Number(file.dataset.recording)});
  document.querySelector('#speech-audio').scrollIntoView({block: 'center', behavior: 'smooth'});
});
"""
_HEAD = (
    "<tr><th>Recording</th><th>Length</th><th>In doubt</th>"
    "<th>Text, its doubtful words in italics</th></tr>"
)


def table_html(rows: str) -> str:
    """Return HTML: the table, nothing before there is a row.

    Args:
        rows: From `row_html()`, one after the other.
    """
    return f"<table><thead>{_HEAD}</thead><tbody>{rows}</tbody></table>" if rows else ""


def row_html(number: int, heard: Heard) -> str:
    """Return HTML: one recording, with what was said or why that is not known.

    Args:
        number: Its place among the files.
        heard: What became of it.
    """
    file = escape(heard.file)
    transcript = heard.transcript
    if transcript is None:
        told = f'<td></td><td></td><td class="problem">{escape(heard.problem)}</td>'
        return f'<tr><td translate="no">{file}</td>{told}</tr>'
    text = " ".join(
        f"<i>{escape(word.word)}</i>" if word.doubtful else escape(word.word)
        for word in transcript.words
    )
    said = f'<td translate="no">{text}</td>' if text else f'<td class="none">{NO_WORDS}</td>'
    return (
        f'<tr><td translate="no"><button type="button" data-recording="{number}">{file}</button>'
        f"</td><td>{clock(transcript.duration_s)}</td>"
        f"<td>{sum(word.doubtful for word in transcript.words)}</td>{said}</tr>"
    )
