"""Several photos with their names -> HTML; nothing here touches Gradio."""

import base64
import io
from html import escape

from PIL import Image

from foundry.photos import PhotoModel
from foundry.photos.several import Named
from foundry.ui.photos import view

_THUMBNAIL = 128
ALBUM_CSS = (
    view.NAME_CSS
    + """
& { display: grid; gap: 0.6rem; grid-template-columns: repeat(auto-fill, minmax(128px, 1fr)); }
.card { display: flex; flex-direction: column; min-width: 0; font: inherit; font-size: 0.85rem;
  text-align: start; padding: 0.35rem; border: 1px solid var(--border-color-primary);
  border-radius: var(--radius-lg); color: var(--body-text-color);
  background: var(--block-background-fill); }
button.card { cursor: pointer; }
button.card:hover, button.card:focus-visible { outline: 2px solid var(--primary-500); }
.card img { width: 100%; aspect-ratio: 1; border-radius: var(--radius-md); display: block; }
.card b { overflow-wrap: anywhere; line-height: 1.25; margin-top: 0.3rem; }
.card .share { font-variant-numeric: tabular-nums; }
.card .file { color: var(--body-text-color-subdued); font-size: 0.75rem; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; }
.card .remark { color: var(--body-text-color-subdued); font-size: 0.75rem;
  overflow-wrap: anywhere; }
.card .problem { color: var(--foundry-wrong); overflow-wrap: anywhere; }
"""
)
ALBUM_JS = """
element.addEventListener('click', (event) => {
  const card = event.target.closest('button[data-photo]');
  if (!card) return;
  trigger('select', {photo: Number(card.dataset.photo)});
  document.querySelector('#photos-photo').scrollIntoView({block: 'center', behavior: 'smooth'});
});
"""


def card_html(model: PhotoModel, number: int, named: Named) -> str:
    """Return HTML: one photo with its likeliest name, or why it has none.

    Args:
        model: What has named it.
        number: Its place among the files.
        named: What became of it.
    """
    file = escape(named.file, quote=True)
    told = f'<span class="file" translate="no" title="{file}">{file}</span>'
    if named.square is None:
        return f'<div class="card"><span class="problem">{escape(named.problem)}</span>{told}</div>'
    remark = f'<span class="remark">{escape(named.remark)}</span>' if named.remark else ""
    best = named.guesses[0]
    return (
        f'<button type="button" class="card" data-photo="{number}">'
        f'<img src="{_thumbnail(named.square)}" alt=""><b>{view.name_html(model, best.index)}</b>'
        f'<span class="share">{best.prob:.1%}</span>{remark}{told}</button>'
    )


def _thumbnail(square: Image.Image) -> str:
    content = io.BytesIO()
    square.resize((_THUMBNAIL, _THUMBNAIL)).save(content, "JPEG", quality=70)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
