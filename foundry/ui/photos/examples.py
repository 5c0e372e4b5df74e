"""Photos to try: some of those that come with scikit-image, which anybody may use."""

import base64
import io
from functools import lru_cache
from importlib.resources import files

from PIL import Image

# Title on the page -> file. The cat is by Stefan van der Walt and the coffee by Rachel Michetti,
# both CC0; the rocket by SpaceX and the astronaut by NASA are in the public domain.
EXAMPLES = {
    "A cat": "chelsea.png",
    "A cup": "coffee.png",
    "A rocket": "rocket.jpg",
    "An astronaut": "astronaut.png",
}
_THUMBNAIL = 72


def open_example(title: str) -> Image.Image:
    """Return one of the photos, RGB.

    Args:
        title: One of the keys of `EXAMPLES`.
    """
    with files("skimage").joinpath("data", EXAMPLES[title]).open("rb") as file:
        return Image.open(file).convert("RGB")


@lru_cache
def examples_html() -> str:
    """Return HTML: a button with a small picture for each of the photos."""
    buttons = "".join(
        f'<button type="button" data-example="{title}"><img src="{_thumbnail(title)}" alt="">'
        f"<span>{title}</span></button>"
        for title in EXAMPLES
    )
    return (
        '<p class="hint">Or try an example. The last has no name among the thousand.</p>'
        f'<div class="examples">{buttons}</div>'
    )


def _thumbnail(title: str) -> str:
    photo = open_example(title)
    side = min(photo.size)
    left, top = (photo.width - side) // 2, (photo.height - side) // 2
    small = photo.crop((left, top, left + side, top + side)).resize((_THUMBNAIL, _THUMBNAIL))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


EXAMPLES_CSS = """
.examples { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.examples button { display: flex; flex-direction: column; align-items: center;
  font: inherit; font-size: 0.85rem; padding: 0.25rem; cursor: pointer;
  width: 6rem; color: var(--body-text-color); background: var(--block-background-fill);
  border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg); }
.examples button:hover, .examples button:focus-visible {
  outline: 2px solid var(--primary-500); outline-offset: 1px; }
.examples img { display: block; width: 100%; border-radius: var(--radius-md); margin-bottom: 2px; }
.hint { color: var(--body-text-color-subdued); font-size: 0.9rem; margin: 0 0 0.4rem; }
"""
EXAMPLES_JS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-example]');
  if (button) trigger('select', {example: button.dataset.example});
});
"""
