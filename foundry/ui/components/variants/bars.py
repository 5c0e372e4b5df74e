"""The variants of a model as bars: how large each is, how long it takes and what it answers.

One of them is chosen, and pressing another chooses it for all tabs. What is shown is measured on
the input in sight: of the chosen variant and the dense one with every answer, of all when asked.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import gradio as gr
from gradio.events import Dependency

from foundry.models import DENSE, VARIANTS
from foundry.models.hub import OnProgress
from foundry.ui.components.plots import format_bytes, format_ms
from foundry.ui.components.pretrained_choice import Loading, watch
from foundry.ui.components.variants.answers import (
    NUM_ROUNDS,
    Answered,
    Candidate,
    VariantAnswer,
    measure_answers,
)
from foundry.ui.page.feedback import EVERY, QUIET
from foundry.ui.page.variants import VariantChoice

_TITLES = {
    "dense": "Dense",
    "pruned": "Pruned",
    "int8": "int8",
    "pruned-int8": "Pruned, int8",
}
_MEANINGS = {
    "dense": "The model as it was trained.",
    "pruned": "What matters least was removed, and the rest trained again.",
    "int8": "Weights and activations of 8 bits instead of 32. Made when it is first needed.",
    "pruned-int8": "Pruned first, then of 8 bits. Made when it is first needed.",
}

CSS = """
.variants { display: grid; gap: 2px; font-variant-numeric: tabular-nums; }
.variants .head, .variants button { display: grid; gap: 0 0.7rem; align-items: center;
  grid-template-columns: 6.2rem minmax(0, 1fr) minmax(0, 1fr) minmax(3rem, 0.8fr);
  padding: 0.2rem 0.5rem; text-align: start; }
.variants .head { font-size: 0.75rem; color: var(--body-text-color-subdued); min-height: 2rem; }
.variants button { font: inherit; font-size: 0.85rem; color: inherit; background: none;
  border: 1px solid transparent; border-radius: var(--radius-md); cursor: pointer; }
.variants button:hover { border-color: var(--border-color-primary); }
.variants button:focus-visible { outline: 2px solid var(--foundry-orange); }
.variants button[aria-checked=true] { border-color: var(--foundry-right);
  background: color-mix(in srgb, var(--foundry-right) 10%, transparent); }
.variants .name::before { content: ''; display: inline-block; width: 0.6em; height: 0.6em;
  margin-inline-end: 0.45em; border-radius: 50%; border: 1.5px solid currentColor; }
.variants [aria-checked=true] .name { font-weight: 650; }
.variants [aria-checked=true] .name::before { background: currentColor; }
.variants .track { display: grid; grid-template-columns: minmax(0, 1fr) 4.4em; gap: 0.4rem;
  align-items: center; white-space: nowrap; }
.variants .fill { height: 8px; border-radius: 3px; background: var(--foundry-sky); min-width: 2px;
  transition: width 0.3s ease-out; }
.variants [aria-checked=true] .fill { background: var(--foundry-blue); }
.variants .said { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.variants .other { color: var(--foundry-wrong); font-weight: 650; }
.variants button:disabled { opacity: 0.45; cursor: default; border-color: transparent; }
.hint { color: var(--body-text-color-subdued); font-size: 0.85rem; margin: 0.3rem 0 0 0.5rem; }
@media (max-width: 480px) {
  .variants .head, .variants button { gap: 0 0.4rem;
    grid-template-columns: 6rem minmax(0, 1fr) minmax(0, 1fr); padding-inline-end: 2rem; }
  .variants .head > :last-child { display: none; }
  .variants .said { grid-column: 2 / -1; }
  .variants .track { grid-template-columns: 1fr; gap: 1px; }
  .variants .fill { height: 5px; }
}
"""
JS = """
const choose = (button) => {
  for (const other of element.querySelectorAll('[role=radio]'))
    other.setAttribute('aria-checked', String(other === button));
  element.querySelector('.hint').textContent = button.title;
  element.dataset.chosen = button.dataset.variant;
  trigger('select', {variant: button.dataset.variant, at: performance.now()});
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('[role=radio]:enabled');
  if (button) choose(button);
});
const STEPS = {ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1};
element.addEventListener('keydown', (event) => {
  const button = event.target.closest('[role=radio]');
  if (!button || !(event.key in STEPS)) return;
  event.preventDefault();
  const all = [...element.querySelectorAll('[role=radio]:enabled')];
  const next = all.at((all.indexOf(button) + STEPS[event.key]) % all.length);
  next.focus();
  choose(next);
});
// What is filled in anew has lost the keyboard that was on it.
new MutationObserver(() => {
  const button = element.dataset.chosen && document.activeElement === document.body &&
    element.querySelector(`[data-variant="${element.dataset.chosen}"]`);
  if (button) button.focus({preventScroll: true});
}).observe(element, {childList: true, subtree: true});
element.addEventListener('focusout', (event) => {
  if (event.relatedTarget) delete element.dataset.chosen;
});
"""


def compare_all(
    answered: Answered,
    asked: Hashable,
    offered: Sequence[str],
    chosen: str,
    load: Callable[[str, OnProgress], Candidate],
    num_rounds: int = NUM_ROUNDS,
) -> Iterator[list[Any]]:
    """Make every variant of a model ready, and let all answer in turns.

    Args:
        answered: What the variants answered so far.
        asked: Says which input and which model.
        offered: The names of the variants that the model has.
        chosen: The name of the chosen one.
        load: Makes one ready; int8 takes a while when it is first made.
        num_rounds: How often each is timed.

    Yields:
        As `VariantBars.outputs()`: while a variant is being made, how far it is.

    Raises:
        InputError: As `load` does.
        ArtifactError: As `load` does.
    """
    candidates: dict[str, Candidate] = {}
    for name in offered:
        for step in watch(partial(load, name), f"Loading {name}"):
            if isinstance(step, Loading):
                yield [gr.skip(), gr.skip(), f"{step.sentence}: {step.share:.0%}"]
            else:
                candidates[name] = step
    measured = measure_answers(candidates, num_rounds)
    yield [*show_bars(answered.add(asked, measured), chosen, offered), ""]


def show_bars(
    answered: Answered, chosen: str, offered: Sequence[str] = tuple(VARIANTS)
) -> list[Any]:
    """Return what was answered, and the bars of it.

    Args:
        answered: What the variants answered.
        chosen: The name of the chosen variant.
        offered: The names of the variants that the model has.
    """
    return [answered, variant_bars_html(answered.answers, chosen, offered)]


def variant_bars_html(
    answers: Mapping[str, VariantAnswer], chosen: str, offered: Sequence[str] = tuple(VARIANTS)
) -> str:
    """Return HTML: a row for every variant, the chosen one marked.

    Args:
        answers: By the variant's name, of those that were asked.
        chosen: The name of the chosen one.
        offered: The names of the variants that the model has; the others cannot be pressed.
    """
    dense = answers.get(DENSE.name)
    largest = max((one.num_bytes or 0 for one in answers.values()), default=0)
    slowest = max((one.elapsed_ms for one in answers.values()), default=0.0)
    rows = []
    for name, title in _TITLES.items():
        one = answers.get(name)
        size = time_taken = said = ""
        if one:
            size = _bar(one.num_bytes, largest, format_bytes) if one.num_bytes else ""
            time_taken = _bar(one.elapsed_ms, slowest, format_ms)
            other = ' class="other"' if dense and one.text != dense.text else ""
            text = escape(one.text)
            said = f'<span{other} title="{text}">{text}</span>'
        is_chosen, is_here = name == chosen, name in offered
        rows.append(
            f'<button type="button" role="radio" data-variant="{name}" '
            f'aria-checked="{str(is_chosen).lower()}" tabindex="{0 if is_chosen else -1}"'
            f'{"" if is_here else " disabled"} title="{escape(_MEANINGS[name])}">'
            f'<span class="name">{title}</span><span>{size}</span><span>{time_taken}</span>'
            f'<span class="said" translate="no">{said}</span></button>'
        )
    return (
        '<div class="variants" role="radiogroup" aria-label="Variant of the model">'
        '<div class="head" aria-hidden="true"><span>Variant</span><span>Size</span>'
        f"<span>Time</span><span>Answer</span></div>{''.join(rows)}</div>"
        f'<div class="hint">{escape(_MEANINGS[chosen])}</div>'
    )


def _bar(value: float, most: float, tell: Callable[[Any], str]) -> str:
    return (
        f'<span class="track"><span class="fill" style="width:{value / most:.1%}"></span>'
        f"<span>{tell(value)}</span></span>"
    )


@dataclass(frozen=True)
class VariantBars:
    """The components of this part.

    Attributes:
        answered: State: what the variants answered to the input in sight.
        bars: A row for each variant.
        compare: Asks all of them.
        progress: How far a variant is that is being made.
    """

    answered: gr.State
    bars: gr.HTML
    compare: gr.Button
    progress: gr.Markdown

    def outputs(self) -> list[Any]:
        """Return what `show_bars()` fills."""
        return [self.answered, self.bars]

    def connect(self, compare: Callable[..., Any], inputs: Sequence[Any]) -> Dependency:
        """Let the button ask all variants.

        Args:
            compare: A handler that yields what `compare_all()` does.
            inputs: What it takes before what the variants answered so far.

        Returns:
            What asks them, for whoever cancels it.
        """
        return self.compare.click(
            compare,
            [*inputs, self.answered],
            [*self.outputs(), self.progress],
            **QUIET,
        )


def build_variant_bars(
    choice: VariantChoice,
    tab: str,
    chosen: str = DENSE.name,
    offered: Sequence[str] = tuple(VARIANTS),
) -> VariantBars:
    """Build the part.

    Args:
        choice: Which variant answers, on all tabs.
        tab: The id of the tab that it is on.
        chosen: The variant that answers now; another one than the dense only where the part is
            built after the page.
        offered: The names of the variants that the model has that is asked first.
    """
    # Around the bars: what an HTML component has, its inside has as well.
    with gr.Column(elem_classes=["explained", "term-variant"]):
        bars = gr.HTML(
            variant_bars_html({}, chosen, offered),
            elem_classes="flush",
            css_template=CSS,
            js_on_load=JS,
            elem_id=f"{tab}-variants",
        )
        with gr.Row(elem_classes="variants-foot"):
            compare = gr.Button(
                "Compare all four" if len(offered) == len(VARIANTS) else "Compare both",
                size="sm",
                min_width=0,
                elem_id=f"{tab}-variants-compare",
            )
            progress = gr.Markdown(elem_classes="foundry-note", elem_id=f"{tab}-variants-progress")
    bars.select(on_choose, choice.pressed_at, [choice.variant, choice.pressed_at], **EVERY)
    return VariantBars(gr.State(Answered()), bars, compare, progress)


def on_choose(pressed_at: float, event: gr.EventData) -> list[Any]:
    """Choose the variant that was pressed, unless another was pressed since.

    Args:
        pressed_at: When the variant was pressed that is chosen, in milliseconds of the page's time:
            what is pressed in a hurry may arrive in any order.
        event: Carries its name, and when that was.

    Returns:
        The variant, and when it was pressed.
    """
    name, at = getattr(event, "variant", None), getattr(event, "at", None)
    if name not in VARIANTS or not isinstance(at, int | float) or not at >= pressed_at:
        return [gr.skip(), gr.skip()]
    return [name, at]
