"""The button that copies a link to the view, and the opening of such a link."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any, NamedTuple

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from foundry.ui.page.feedback import QUIET
from foundry.ui.page.links import (
    Reader,
    Settings,
    build_reader,
    describe_ignored,
    read_link,
    write_link,
)
from foundry.ui.page.variants import VariantChoice

# The page knows which tab is open before the server has heard of it.
_IN_SIGHT_JS = """
(_, ...others) => [
  document.querySelector('[role="tab"][aria-selected="true"]').dataset.tabId, ...others
]
"""

# Without a clipboard, as on a page that came over plain HTTP, the link is shown to be copied.
_COPY_JS = """
async ([query, left_out]) => {
  const link = `${location.origin}${location.pathname}?${query}`;
  let copied = false;
  try { await navigator.clipboard.writeText(link); copied = true; } catch {}
  const note = document.createElement("span");
  note.className = "foundry-note";
  note.setAttribute("role", "status");
  note.textContent = copied ? "Link copied." : "Copy this link:";
  if (!copied) {
    const input = document.createElement("input");
    input.readOnly = true;
    input.setAttribute("value", link);
    input.setAttribute("aria-label", "Link to this view");
    input.setAttribute("onfocus", "this.select()");
    note.append(" ", input);
  }
  if (left_out) note.append(" " + left_out);
  return note.outerHTML;
}
"""

# Back and forward go through the tabs that were open, and a reload comes back to the last.
HEAD = """<script>
(() => {
  let isMoving = false;
  const list = () => [...(document.querySelector('[role=tablist]')
    ?.querySelectorAll('[role=tab][data-tab-id]') ?? [])];
  function open(id) {
    const tab = list().find((one) => one.dataset.tabId === id);
    if (!tab) return false;
    isMoving = true;
    tab.click();
    isMoving = false;
    return true;
  }
  // Before the page hears of it: then it still shows where the visitor comes from.
  document.addEventListener('click', (event) => {
    const tab = list().find((one) => one.contains(event.target));
    if (!tab || isMoving || tab.ariaSelected === 'true') return;
    const before = list().find((one) => one.ariaSelected === 'true');
    history.replaceState({tab: before?.dataset.tabId}, '');
    const id = tab.dataset.tabId;
    history.pushState({tab: id}, '', `${location.pathname}#${id}`);
  }, true);
  addEventListener('popstate', (event) => open(event.state?.tab));
  const wanted = location.hash.slice(1);
  if (wanted && !location.search) {
    const waiting = new MutationObserver(() => { if (open(wanted)) waiting.disconnect(); });
    waiting.observe(document, {childList: true, subtree: true});
  }
})();
</script>"""

CSS = """
#link-copy { flex: 0 0 auto !important; width: auto; }
.link-note:not(:has(.foundry-note)) { display: none; }
.link-note input { width: min(28rem, 100%); padding: 0.15rem 0.4rem; font: inherit;
  color: var(--body-text-color); background: var(--input-background-fill);
  border: 1px solid var(--border-color-primary); border-radius: var(--radius-sm); }
"""


class LinkedTab(NamedTuple):
    """What a link sets on a tab.

    Attributes:
        read: Reads the tab's settings.
        inputs: The component that holds each setting.
        outputs: What opening a link fills.
        render: Settings to values for the outputs.
        write: Values as the inputs hold them, to settings as a link has them.
    """

    read: Reader
    inputs: Mapping[str, Component] = {}
    outputs: Sequence[Component] = ()
    render: Callable[[Settings], list[Any]] = list
    write: Callable[[Settings], Settings] = dict


@dataclass(frozen=True)
class Links:
    """The button with its note, and what each tab has offered to put into a link.

    Attributes:
        app: The page.
        button: Copies a link.
        note: Says what came of it.
        tabs: By id, in the order of the page.
    """

    app: gr.Blocks
    button: gr.Button
    note: gr.HTML
    tabs: dict[str, LinkedTab]

    def offer(self, tab: str, linked: LinkedTab, after: Dependency | None = None) -> Dependency:
        """Let links set a tab's settings.

        Args:
            tab: Its id.
            linked: What they set.
            after: What fills the outputs otherwise, and is to be overruled; None: the page's load.

        Returns:
            The event that fills them.
        """
        self.tabs[tab] = linked

        # Gradio does not look for a request behind a `partial`.
        def fill(request: gr.Request) -> Any:
            values = on_fill(self.tabs, tab, request)
            return values[0] if len(values) == 1 else values

        trigger = after.then if after else self.app.load
        return trigger(fill, None, list(linked.outputs), **QUIET)

    def open_only(self, tab: str) -> None:
        """Let links open a tab that has no settings.

        Args:
            tab: Its id.
        """
        self.tabs[tab] = LinkedTab(build_reader())

    def connect(self, tabs: gr.Tabs, variants: VariantChoice) -> None:
        """Wire the button and the page's load, once every tab has been built.

        Args:
            tabs: Its tabs.
            variants: Say which variant answers, and which tab is open.
        """
        inputs = [one for linked in self.tabs.values() for one in linked.inputs.values()]
        in_sight, made = gr.Textbox(visible=False), gr.JSON(visible=False)
        self.button.click(
            partial(on_copy, self.tabs),
            [in_sight, variants.variant, *inputs],
            made,
            js=_IN_SIGHT_JS,
            **QUIET,
        ).then(None, made, self.note, js=_COPY_JS, **QUIET)
        opened = [tabs, variants.open_tab, variants.variant]

        def open_link(request: gr.Request) -> list[Any]:
            return on_open_link(self.tabs, request)

        self.app.load(open_link, None, [*opened, self.note], **QUIET)


def on_open_link(tabs: Mapping[str, LinkedTab], request: gr.Request) -> list[Any]:
    """Open the tab and choose the variant that the page's address names.

    Args:
        tabs: What links can open.
        request: Carries the address.

    Returns:
        The tabs, the open tab's label, the variant, and the link's note.
    """
    readers = _readers(tabs)
    view = read_link(dict(request.query_params), readers)
    note = _note_html(describe_ignored(view.ignored, readers.values()))
    if not view.tab:
        return [*[gr.skip()] * 3, note]
    return [gr.Tabs(selected=view.tab), view.tab.title(), view.variant, note]


def on_fill(tabs: Mapping[str, LinkedTab], tab: str, request: gr.Request) -> list[Any]:
    """Fill a tab's form if the page's address opens it.

    Args:
        tabs: What links can open.
        tab: The id of the one to fill.
        request: Carries the address.
    """
    view = read_link(dict(request.query_params), _readers(tabs))
    linked = tabs[tab]
    if view.tab != tab:
        return [gr.skip()] * len(linked.outputs)
    return linked.render(view.settings)


def on_copy(tabs: Mapping[str, LinkedTab], open_tab: str, variant: str, *values: Any) -> list[str]:
    """Write the link to what is in sight.

    Args:
        tabs: What links can open.
        open_tab: The id of the tab in sight.
        variant: The name of the variant.
        values: Of all settings of all tabs.

    Returns:
        The query, and a sentence about what cannot be in a link.
    """
    tab = open_tab if open_tab in tabs else next(iter(tabs))
    names = [(of, name) for of, linked in tabs.items() for name in linked.inputs]
    own = {name: v for (of, name), v in zip(names, values, strict=True) if of == tab}
    query, left_out = write_link(tab, variant, tabs[tab].write(own), tabs[tab].read)
    sentence = f"Not in it: {', '.join(left_out)}, yours alone or too long." if left_out else ""
    return [query, sentence]


def _readers(tabs: Mapping[str, LinkedTab]) -> dict[str, Reader]:
    return {tab: linked.read for tab, linked in tabs.items()}


def _note_html(sentence: str) -> str:
    return f'<span class="foundry-note" role="status">{escape(sentence)}</span>' if sentence else ""


def build_links(app: gr.Blocks) -> Links:
    """Build the button, and the note for the page to put below it.

    Args:
        app: The page.
    """
    button = gr.Button("Copy link", size="sm", min_width=0, elem_id="link-copy")
    note = gr.HTML(
        padding=False, elem_id="link-note", elem_classes=["link-note", "flush"], render=False
    )
    return Links(app, button, note, {})
