"""What handlers return."""

import gradio as gr


def value_of(output):
    """What a handler gives a component, be it a bare value or an update."""
    if isinstance(output, gr.components.Component):
        return output._constructor_args[0]["value"]
    return output
