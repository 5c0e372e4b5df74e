"""The part of the Speech tab that compares a transcript with what was really said."""

import gradio as gr

from foundry.speech.score import score_transcript
from foundry.ui.page.feedback import QUIET, shows_errors
from foundry.ui.speech import view as speech_view


@shows_errors
def on_score(reference: str, text: str) -> str:
    """Compare the transcript with what was really said.

    Args:
        reference: What the visitor says was said.
        text: The transcript.
    """
    return speech_view.score_html(score_transcript(reference, text))


def build_score_section(text: gr.State) -> gr.HTML:
    """Build the part.

    Args:
        text: Holds the transcript.

    Returns:
        The comparison, for whoever puts it away.
    """
    gr.Markdown("### How well was it heard?")
    with gr.Row(elem_classes="one-and-two"):
        with gr.Column():
            reference = gr.Textbox(
                label="What was really said",
                placeholder="Type or paste it",
                lines=3,
                max_length=20_000,
                elem_id="speech-reference",
            )
            compare = gr.Button("Compare", elem_id="speech-compare")
        score = gr.HTML(elem_id="speech-score", css_template=speech_view.SCORE_CSS)
    compare.click(on_score, [reference, text], score, **QUIET)
    reference.submit(on_score, [reference, text], score, **QUIET)
    return score
