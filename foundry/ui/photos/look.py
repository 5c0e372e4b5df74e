"""Where it looked: the photo, bright where it spoke for the name that was pressed."""

import gradio as gr

from foundry.data.photos import frame_photo
from foundry.data.pictures import load_photo
from foundry.errors import ArtifactError, InputError
from foundry.models import load_model
from foundry.photos.attention import find_evidence, light_evidence
from foundry.ui.components.plots import png_url
from foundry.ui.photos import view
from foundry.ui.photos.choice import DEFAULT_MODEL, load_chosen
from foundry.ui.photos.cover import STAGE_CSS, stage_html

LOOK_HINT = "Press a name to see which places of the photo speak for it."
LOOK_CSS = (
    view.NAME_CSS
    + STAGE_CSS
    + """
figure { margin: 0.8rem 0 0; max-width: 320px; }
figcaption { margin-bottom: 0.4rem; }
figcaption b { overflow-wrap: anywhere; }
img { width: 100%; display: block; border-radius: var(--radius-lg); }
.hint { color: var(--body-text-color-subdued); font-size: 0.9rem; margin: 0.5rem 0 0; }
"""
)
LOOK_JS = """
element.addEventListener('click', (event) => {
  const name = event.target.closest('button[data-index]');
  if (!name) return;
  for (const one of element.querySelectorAll('button[data-index]'))
    one.setAttribute('aria-pressed', one === name);
  trigger('select', {index: Number(name.dataset.index)});
});
"""


def on_look(event: gr.EventData, path: str | None, name: str) -> str:
    """Show which places of the photo speak for the name that was pressed.

    Args:
        event: Carries the index of the class.
        path: The photo.
        name: The chosen model; its float32 network is asked, whatever the variant.

    Returns:
        HTML.
    """
    if path is None:
        return ""
    if name != DEFAULT_MODEL:
        return view.hint("Only the shipped model can show where it looked.")
    try:
        model, network = load_chosen(name), load_model(name)
        index = int(event.index)
        if not 0 <= index < len(model.labels):
            raise InputError(f"There is no class {index}.")
        image = load_photo(path)
        evidence = find_evidence(network, image, index)
    except (InputError, ArtifactError) as error:
        return view.hint(str(error))
    picture = png_url(light_evidence(frame_photo(image), evidence))
    return (
        f"<figure><figcaption>Bright places speak for <b>{view.name_html(model, index)}</b>"
        f"</figcaption>{stage_html(picture, index)}</figure>"
        + view.hint(
            "The square in the middle is all that the network sees. Grad-CAM on its last 7x7 "
            "features, in float32."
        )
    )
