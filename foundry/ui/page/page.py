"""What the page hands to each tab to be built with."""

from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr
from gradio.events import Dependency

from foundry.runs.queue import RunQueue
from foundry.ui.page.guide import Guide
from foundry.ui.page.link_button import Links
from foundry.ui.page.variants import VariantChoice


@dataclass(frozen=True)
class Page:
    """The parts of the page that tabs share.

    Attributes:
        device: Where models train and run.
        queue: Where runs wait their turn.
        visitor: Holds the visitor's token.
        arrived: The event after which it does.
        variants: Say which variant answers, and which tab is in sight.
        links: Open a tab with its settings.
        guide: The first steps, ticked when they are done.
        chosen_run: The id of a run that the visitor wants to try on the Draw tab, and when that was
            asked for, so that asking again is a change.
        made_run: The id of a run that was made on another tab, for the Train tab to show, and when,
            so that the same one again is a change.
        warm_ups: What to load in the background once somebody has opened the page.
        sweeps: What removes old files, by the clock.
    """

    device: str
    queue: RunQueue
    visitor: gr.BrowserState
    arrived: Dependency
    variants: VariantChoice
    links: Links
    guide: Guide
    chosen_run: gr.State
    made_run: gr.State
    warm_ups: list[Callable[[], None]]
    sweeps: list[Callable[[], None]]
