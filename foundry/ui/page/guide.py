"""The first steps: a row above the tabs that ticks what a visitor has really done."""

from dataclasses import dataclass
from functools import partial
from html import escape

import gradio as gr

from foundry.models import DENSE
from foundry.ui.page.feedback import EVERY, QUIET
from foundry.ui.page.variants import VariantChoice
from foundry.ui.page.visitor import build_browser_state


@dataclass(frozen=True)
class Step:
    """One of the first steps.

    Attributes:
        name: What is remembered of it.
        tab_id: The id of the tab where it is done.
        title: What to do.
        sentence: How.
    """

    name: str
    tab_id: str
    title: str
    sentence: str


STEPS = (
    Step("train", "train", "Train", "Press Start and watch it learn to read digits."),
    Step("draw", "draw", "Draw", "It answers while you draw."),
    Step(
        "compress",
        "compress",
        "Compress",
        "See how much smaller and faster it gets, and what that costs.",
    ),
)
_WELCOME = (
    "Train a small network and watch it learn, draw digits for it, make it smaller. "
    "Everything runs on this machine."
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
  document.documentElement.classList.toggle('guide-shown', isShown);
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
.guide-closed #guide, html:not(.guide-shown) #guide:has(.all-done) { display: none; }
.first-steps { display: flex; align-items: center; gap: 0.3rem 1rem;
  padding: 0.3rem 0.3rem 0.3rem 0.9rem;
  border-radius: var(--radius-lg); background: var(--background-fill-secondary); }
.first-steps p { flex: 1 1 auto; margin: 0; font-size: 0.875rem; line-height: 1.35;
  color: var(--body-text-color-subdued); }
.first-steps ol { flex: 0 0 auto; display: flex; gap: 0.2rem; list-style: none; margin: 0;
  padding: 0; }
.first-steps li { margin: 0; padding: 0; }
.first-steps button { display: flex; align-items: center; gap: 0.4rem; min-height: 36px; margin: 0;
  padding: 0 0.6rem; font: inherit; font-size: 0.875rem; font-weight: 500; cursor: pointer;
  border: 0; border-radius: var(--radius-md); background: none; color: var(--body-text-color); }
.first-steps button:hover { background: var(--button-secondary-background-fill-hover); }
.first-steps .mark { width: 22px; height: 22px; border-radius: 50%; display: grid;
  place-items: center; font-size: 0.8rem; font-weight: 650; border: 2px solid var(--primary-600); }
.first-steps .done .mark { background: var(--primary-600); color: white; }
.first-steps .close { font-size: 1.2rem; color: var(--body-text-color-subdued); }
@media (max-width: 760px) {
  .first-steps { padding-left: 0; }
  .first-steps p { display: none; }
  .first-steps ol { flex: 1 1 auto; justify-content: space-between; }
  .first-steps button { padding: 0 0.35rem; gap: 0.3rem; font-size: 0.8125rem; }
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
            f'<li class="{"done" if is_done else "open"}">'
            f'<button type="button" data-tab="{step.tab_id}" title="{escape(step.sentence)}">'
            f'<span class="mark">{mark}</span>{escape(step.title)}</button></li>'
        )
    all_done = " all-done" if len(names) == len(STEPS) else ""
    return (
        f'<section class="first-steps{all_done}" aria-label="First steps"><p>{_WELCOME}</p>'
        f"<ol>{''.join(rows)}</ol>"
        '<button type="button" class="close" aria-label="Close">×</button></section>'
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
        # Others listen to it too, and are not to be started anew, see `VariantChoice.follow()`.
        proof.change(partial(on_step, step), [proof, self.done], self.done, **EVERY)

    def follow_pad(self, pad: gr.HTML) -> None:
        """Tick the drawing once something is drawn.

        Args:
            pad: Holds it.
        """
        pad.input(None, [pad, self.done], self.done, js=_DRAWN_JS, **QUIET)

    def connect(self, app: gr.Blocks, variants: VariantChoice) -> None:
        """Wire the panel, and tick the last step for whoever chooses another variant.

        Args:
            app: The page.
            variants: Say which variant answers.
        """
        variant = variants.follow()
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
