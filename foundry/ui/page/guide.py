"""The first steps: a panel above the tabs that ticks what a visitor has really done."""

from dataclasses import dataclass
from functools import partial
from html import escape

import gradio as gr

from foundry.models import DENSE
from foundry.ui.page.feedback import QUIET
from foundry.ui.page.variant_switches import VariantSwitches
from foundry.ui.page.visitor import build_browser_state


@dataclass(frozen=True)
class Step:
    """One of the first steps.

    Attributes:
        name: What is remembered of it.
        tab: The label of the tab where it is done.
        tab_id: Its id.
        title: What to do.
        sentence: How.
    """

    name: str
    tab: str
    tab_id: str
    title: str
    sentence: str


STEPS = (
    Step(
        "train",
        "Train",
        "train",
        "Train a network",
        "Press Start and watch it learn to read digits.",
    ),
    Step("draw", "Draw", "draw", "Draw a digit for it", "It answers while you draw."),
    Step(
        "compress",
        "Compress",
        "compress",
        "Compress it",
        "See how much smaller and faster it gets, and what that costs.",
    ),
)

# Whether the panel is closed is asked before anything is drawn, so that the page does not jump.
HEAD = """<script>
try {
  if (localStorage.getItem('foundry-guide-closed'))
    document.documentElement.classList.add('guide-closed');
} catch {}
</script>"""
_SHOW_JS = """
function show(isShown) {
  document.documentElement.classList.toggle('guide-closed', !isShown);
  try {
    if (isShown) localStorage.removeItem('foundry-guide-closed');
    else localStorage.setItem('foundry-guide-closed', 'yes');
  } catch {}
}
"""
_JS = (
    _SHOW_JS
    + """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  const tabs = [...document.querySelector('[role=tablist]').querySelectorAll('[role=tab]')];
  if (button.dataset.tab) tabs.find((tab) => tab.dataset.tabId === button.dataset.tab).click();
  else {
    show(false);
    tabs.find((tab) => tab.ariaSelected === 'true').focus();
  }
});
"""
)
_REOPEN_JS = f"""() => {{
  {_SHOW_JS}
  show(true);
  const guide = document.querySelector('#guide');
  guide.scrollIntoView({{block: 'center'}});
  guide.querySelector('button').focus();
}}"""
# In the browser alone, because the pad changes many times a second.
_DRAWN_JS = """(drawing, done) =>
  drawing && !done.split(' ').includes('draw') ? `${done} draw`.trim() : done"""

CSS = """
.guide-closed #guide { display: none; }
.first-steps { border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg);
  background: var(--block-background-fill); padding: 0.6rem 0.9rem 0.8rem; }
.first-steps .top { display: flex; justify-content: space-between; align-items: center; }
.first-steps h2 { font-size: 1rem; margin: 0; }
.first-steps ol { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr));
  gap: 0.5rem 1.5rem; list-style: none; margin: 0.4rem 0 0; padding: 0; }
.first-steps li { display: grid; grid-template: "mark title open" auto "mark text open" auto
  / auto minmax(0, 1fr) auto; gap: 0 0.7rem; align-items: start; align-content: start;
  margin: 0; padding: 0; }
.first-steps li > button { grid-area: open; }
.first-steps .mark { grid-area: mark; width: 28px; height: 28px; border-radius: 50%; display: grid;
  place-items: center; font-weight: 650; border: 2px solid var(--primary-600);
  color: var(--body-text-color); }
.first-steps .done .mark { background: var(--primary-600); color: white; }
.first-steps p { grid-area: text; margin: 0; font-size: 0.875rem;
  color: var(--body-text-color-subdued); line-height: 1.35; }
.first-steps button { min-height: 32px; padding: 0 0.8rem; margin: 0; font: inherit;
  font-size: 0.875rem; font-weight: 500; cursor: pointer; border-radius: var(--button-small-radius);
  border: 1px solid var(--border-color-primary); color: var(--button-secondary-text-color);
  background: var(--button-secondary-background-fill); }
.first-steps button:hover { background: var(--button-secondary-background-fill-hover); }
.first-steps .close { border-color: transparent; background: none; margin-right: -0.5rem; }
@media (max-width: 760px) {
  .first-steps ol { grid-template-columns: minmax(0, 1fr); }
  .first-steps li { grid-template-areas: "mark title open" "mark text text"; }
}
"""


def on_step(name: str, proof: str, done: str) -> str:
    """Tick a step.

    Args:
        name: The step's.
        proof: Not empty if it was done.
        done: Names of the steps done so far, with spaces between them.

    Returns:
        The same with this one.
    """
    names = _read(done)
    return " ".join([*names, name] if proof and name not in names else names)


def on_switch(variant: str, done: str) -> str:
    """Tick the last step once another variant than the dense one was chosen.

    Args:
        variant: The name of one.
        done: As in `on_step()`.
    """
    return on_step("compress", "" if variant == DENSE.name else variant, done)


def guide_html(done: str) -> str:
    """Return HTML: the steps, those done ticked.

    Args:
        done: Names of them with spaces between; what is none of ours is passed over.
    """
    names = _read(done)
    rows = []
    for number, step in enumerate(STEPS, start=1):
        is_done = step.name in names
        mark = '<span class="sr-only">Done</span>✓' if is_done else str(number)
        rows.append(
            f'<li class="{"done" if is_done else "open"}"><span class="mark">{mark}</span>'
            f"<b>{escape(step.title)}</b><p>{escape(step.sentence)}</p>"
            f'<button type="button" data-tab="{step.tab_id}">Open {escape(step.tab)}</button></li>'
        )
    title = "First steps" if len(names) < len(STEPS) else "First steps: all done"
    return (
        f'<section class="first-steps" aria-label="First steps"><div class="top"><h2>{title}</h2>'
        '<button type="button" class="close">Close</button></div>'
        f"<ol>{''.join(rows)}</ol></section>"
    )


@dataclass(frozen=True)
class Guide:
    """The panel, and what it remembers.

    Attributes:
        panel: Shows the steps.
        done: Names of those that were done; kept in the browser.
    """

    panel: gr.HTML
    done: gr.BrowserState

    def follow(self, step: str, proof: gr.State) -> None:
        """Tick a step once it was really done.

        Args:
            step: The name of one.
            proof: Holds something from then on, such as the id of a finished run.
        """
        # Others listen to it too, and are not to be started anew, see `VariantSwitches.follow()`.
        beside_others = {"trigger_mode": "multiple", **QUIET}
        proof.change(partial(on_step, step), [proof, self.done], self.done, **beside_others)

    def follow_pad(self, pad: gr.HTML) -> None:
        """Tick the drawing once something is drawn.

        Args:
            pad: Holds it.
        """
        pad.input(None, [pad, self.done], self.done, js=_DRAWN_JS, **QUIET)

    def connect(self, app: gr.Blocks, switches: VariantSwitches) -> None:
        """Wire the panel, and tick the last step for whoever chooses another variant.

        Args:
            app: The page.
            switches: Say which variant answers.
        """
        variant = switches.follow()
        variant.change(on_switch, [variant, self.done], self.done, **QUIET)
        self.done.change(guide_html, self.done, self.panel, **QUIET)
        app.load(guide_html, self.done, self.panel, **QUIET)


def build_guide() -> Guide:
    """Build the panel; the page puts it above its tabs."""
    panel = gr.HTML(guide_html(""), js_on_load=_JS, elem_classes="flush", elem_id="guide")
    return Guide(panel, build_browser_state("first-steps"))


def open_guide_on(button: gr.Button) -> None:
    """Let a button show the panel again.

    Args:
        button: Anywhere on the page.
    """
    button.click(None, None, None, js=_REOPEN_JS, **QUIET)


def _read(done: str) -> list[str]:
    known = {step.name for step in STEPS}
    return [name for name in done.split() if name in known] if isinstance(done, str) else []
