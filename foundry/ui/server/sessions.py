"""Sessions that cost little to open: every call of a program without one opens another."""

from types import SimpleNamespace

from gradio import state_holder
from gradio.blocks import Blocks
from gradio.state_holder import SessionState


class LeanSession(SessionState):
    """A session that describes a component when it changes, not all of them when it opens.

    Gradio keeps the descriptions for `gr.DeepLinkButton` alone, which this page does not have; of
    each call by a program they were two thirds of the processor time.
    """

    def __init__(self, blocks: Blocks) -> None:
        # Only what is in `blocks.blocks` is described.
        super().__init__(SimpleNamespace(default_config=blocks.default_config, blocks=()))


def open_lean_sessions() -> None:
    """Let Gradio open `LeanSession`s from now on; it has no setting for it."""
    state_holder.SessionState = LeanSession
