"""What is in a data set that a visitor brought: pictures of each class, counts, and remarks."""

from html import escape

import numpy as np
from PIL import Image

from foundry.data.own.found import SPLITS
from foundry.runs.data_sets import About, load_data
from foundry.ui.components.plots import png_url

_NUM_SHOWN = 8
CSS = """
.sets { max-height: 24rem; overflow: auto; }
table { border-collapse: collapse; width: 100%; margin: 0; border: 0; font-size: 0.8125rem; }
th, td { border: 0 !important; padding: 0.2rem 0.3rem !important; text-align: right;
  background: none !important; font-variant-numeric: tabular-nums; }
th { font-weight: 600; color: var(--body-text-color-subdued); }
tr > :first-child { text-align: left; overflow-wrap: break-word; }
td img { height: 28px; max-width: none; image-rendering: pixelated; border-radius: 3px;
  display: block; margin: 0; }
td:nth-child(2) { max-width: 7rem; overflow: hidden; }
ul { margin: 0.4rem 0 0; padding-left: 1.1rem; font-size: 0.875rem;
  color: var(--body-text-color-subdued); }
p { margin: 0 0 0.4rem; font-size: 0.9rem; }
"""


def report_html(about: About) -> str:
    """Return HTML: every class with pictures as the network will see them, and its counts.

    Args:
        about: The data set.
    """
    train = load_data(about.data_id).train
    labels = train.labels.numpy()
    rows = []
    for number, name in enumerate(about.classes):
        shown = np.flatnonzero(labels == number)[:_NUM_SHOWN]
        strip = np.concatenate(list(train.images[shown].numpy()), axis=1)
        cells = "".join(f"<td>{about.counts[part][number]:,}</td>" for part in SPLITS)
        rows.append(
            f'<tr><td translate="no">{escape(name)}</td>'
            f'<td><img alt="" src="{png_url(Image.fromarray(strip))}"></td>{cells}</tr>'
        )
    notes = "".join(f"<li>{escape(note)}</li>" for note in about.notes)
    return (
        "<p>This is what the network will see, 28x28 pixels each.</p>"
        '<div class="sets"><table><thead><tr><th scope="col">Class</th><th scope="col">Pictures'
        '</th><th scope="col">training</th><th scope="col">validation</th><th scope="col">test</th>'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        + (f"<ul>{notes}</ul>" if notes else "")
    )
