"""The two switches above the tabs: which variant of every model answers, and how it compares."""

from dataclasses import dataclass
from html import escape

import gradio as gr

from foundry.models import DENSE, Variant
from foundry.models.variants import FLOAT_BITS, INT8_BITS
from foundry.ui.page.feedback import QUIET

# What the chosen variant is; of the model as it was trained there is nothing to say.
_NOTES = {
    "dense": "",
    "pruned": "Pruned: what matters least was removed, and the rest trained again.",
    "int8": "Quantized: weights and activations of 8 bits. Made when a tab first needs it.",
    "pruned-int8": "Pruned, then quantized to 8 bits. Made when a tab first needs it.",
}


@dataclass(frozen=True)
class VariantSwitches:
    """What the tabs see of the switches.

    Attributes:
        variant: State: the name of the chosen variant.
        open_tab: State: the label of the tab in sight; what is hidden need not be made ready.
        boxes: The switches themselves, *Pruned* first.
        note: Says what the variant is.
        followers: Copies of `variant`, one for each who answers anew when it changes.
    """

    variant: gr.State
    open_tab: gr.State
    boxes: tuple[gr.Checkbox, gr.Checkbox]
    note: gr.HTML
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


def on_switch(is_pruned: bool, is_quantized: bool) -> tuple[str, str]:
    """Choose the variant.

    Args:
        is_pruned: The first switch.
        is_quantized: The second switch.

    Returns:
        The variant's name, and what it is.
    """
    name = Variant(is_pruned, INT8_BITS if is_quantized else FLOAT_BITS).name
    return name, _note_html(name)


def on_open(event: gr.SelectData) -> str:
    """Remember which tab is in sight.

    Args:
        event: Carries its label.
    """
    return str(event.value)


def compare_answers(
    variant: str, answer: str, elapsed_ms: float, dense_answer: str, dense_ms: float
) -> str:
    """Say how a variant's answer and time compare with the dense model's.

    Args:
        variant: Its name.
        answer: What it answers.
        elapsed_ms: The time it took.
        dense_answer: What the dense model answers.
        dense_ms: The time that took.
    """
    times = f"{variant} {format_ms(elapsed_ms)}, dense {format_ms(dense_ms)}"
    if answer == dense_answer:
        return f"The model: {times}; both give the same answer."
    return f"The model: {times}. They disagree: dense says {dense_answer}."


def format_ms(elapsed_ms: float) -> str:
    """Return a time with what of it is worth reading: `0.12 ms`, `3.4 ms`, `250 ms`."""
    digits = 2 if elapsed_ms < 1 else 1 if elapsed_ms < 10 else 0
    return f"{elapsed_ms:.{digits}f} ms"


def _note_html(name: str) -> str:
    note = _NOTES[name]
    return f'<span class="foundry-note">{escape(note)}</span>' if note else ""


def build_variant_switches() -> VariantSwitches:
    """Build the switches; the page puts them above its tabs."""
    with gr.Row(elem_id="variants", elem_classes="variant-switches"):
        pruned = gr.Checkbox(False, label="Pruned", container=False, elem_id="variant-pruned")
        quantized = gr.Checkbox(
            False, label="Quantized", container=False, elem_id="variant-quantized"
        )
        note = gr.HTML(_note_html(DENSE.name), padding=False, elem_id="variant-note")
    boxes = pruned, quantized
    switches = VariantSwitches(gr.State(DENSE.name), gr.State(""), boxes, note, [])
    for switch in boxes:
        switch.input(on_switch, list(boxes), [switches.variant, note], **QUIET)
    return switches
