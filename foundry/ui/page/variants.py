"""Which variant of every model answers, on all tabs alike."""

from dataclasses import dataclass

import gradio as gr

from foundry.models import DENSE
from foundry.ui.page.feedback import QUIET


@dataclass(frozen=True)
class VariantChoice:
    """What the tabs see of the choice.

    Attributes:
        variant: State: the name of the chosen variant.
        pressed_at: State: when it was pressed, in milliseconds of the page's time.
        open_tab: State: the label of the tab in sight; what is hidden need not be made ready.
        followers: Copies of `variant`, one for each who answers anew when it changes.
    """

    variant: gr.State
    pressed_at: gr.State
    open_tab: gr.State
    followers: list[gr.State]

    def follow(self) -> gr.State:
        """Return a copy of `variant` whose change is for one listener alone.

        Gradio starts all listeners of an event anew when one of them was still busy with the time
        before; two that wait their turn would keep each other busy for ever.
        """
        self.followers.append(gr.State(DENSE.name))
        return self.followers[-1]

    def connect(self) -> None:
        """Wire the copies, once all who follow have been built."""
        count = len(self.followers)
        self.variant.change(lambda name: [name] * count, self.variant, self.followers, **QUIET)


def on_open(event: gr.SelectData) -> str:
    """Remember which tab is in sight.

    Args:
        event: Carries its label.
    """
    return str(event.value)


def build_variant_choice() -> VariantChoice:
    """Build the choice; the bars on the tabs set it."""
    return VariantChoice(gr.State(DENSE.name), gr.State(0.0), gr.State(""), [])
