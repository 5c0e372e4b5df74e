"""One input through every variant of a compressed model, side by side."""

from typing import Any, NamedTuple

import gradio as gr
import numpy as np
import torch
from gradio.components import Component

from foundry.compression.measurement.stored import load_shared
from foundry.compression.runs import CompressRun, read_own_compression
from foundry.data import load_test_split
from foundry.errors import ArtifactError, InputError
from foundry.models import load_pretrained
from foundry.runs.data_sets import MNIST, load_data
from foundry.speech.audio import SAMPLE_RATE_HZ, open_audio
from foundry.ui.components import plots
from foundry.ui.components.clips import CLIPS
from foundry.ui.compress import plots as compress_plots
from foundry.ui.page.feedback import LATEST, QUIET, shows_errors

_TEXT = "Not bad at all, though I would not cross town for it."
_CLIP = CLIPS / "commands.flac"
_MAX_CLIP_S = 20.0


class OneInputView(NamedTuple):
    """Components for one input, those of one task in sight."""

    digits: gr.Row
    index: gr.Number
    text: gr.Textbox
    clip: gr.Audio
    answers: gr.HTML


@shows_errors
def on_image(run_id: str, token: str, index: float | None) -> tuple[Any, str]:
    """Let every variant read a test image.

    Args:
        run_id: The compression on show.
        token: The visitor's token.
        index: Of the image, from 0.

    Returns:
        The image, and a table of answers.
    """
    run, place = read_own_compression(run_id, token), int(index or 0)
    all_probs = run.test_probs
    total = len(next(iter(all_probs.values())))
    if not 0 <= place < total:
        raise InputError(f"There are test images 0 to {total - 1:,}.")
    probs = {name: values[place].tolist() for name, values in all_probs.items()}
    image = None
    try:
        test = load_test_split() if run.dataset == MNIST else load_data(run.dataset).test
    except ArtifactError as error:
        # What they answered is known without the picture.
        truth = str(error)
    else:
        image = plots.digit_image(test.images[place].numpy(), zoom=5)
        name = run.classes[test.labels[place]]
        what = f"written {name}" if run.dataset == MNIST else f"“{name}”"
        truth = f"Test image {place:,}: {what}."
    return image, compress_plots.answers_html(probs, run.classes, truth)


@shows_errors
def on_next(run_id: str, token: str, index: float | None) -> int:
    """Return the next test image that not every variant reads alike, or the next one of all."""
    probs = read_own_compression(run_id, token).test_probs
    digits = np.stack([values.argmax(1).numpy() for values in probs.values()])
    differing = np.flatnonzero((digits != digits[0]).any(0))
    place, total = int(index or 0), digits.shape[1]
    if not len(differing):
        return (place + 1) % total
    later = differing[differing > place]
    return int(later[0] if len(later) else differing[0])


@shows_errors
def on_text(run_id: str, token: str, text: str) -> str:
    """Let every variant score a text. Returns a table of answers."""
    run = read_own_compression(run_id, token)
    if not text.strip():
        return ""
    pretrained = load_pretrained(run.config.model, "sentiment")
    encoded = pretrained.processor(text, return_tensors="pt", truncation=True, max_length=512)
    probs = {
        name: load_shared(source)(encoded["input_ids"], encoded["attention_mask"])
        .softmax(1)[0]
        .tolist()
        for name, source in run.sources.items()
    }
    names: Any = pretrained.model.config.id2label
    return compress_plots.answers_html(probs, [names[i] for i in range(len(names))], "")


@shows_errors
def on_clip(run_id: str, token: str, path: str | None) -> str:
    """Let every variant transcribe the first seconds of a clip. Returns a table of answers."""
    run = read_own_compression(run_id, token)
    if path is None:
        return ""
    waveform = open_audio(path).read_stretch(0.0, _MAX_CLIP_S)
    processor = load_pretrained(run.config.model, "speech").processor
    inputs = processor(waveform, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt").input_values
    texts, sure = {}, {}
    for name, source in run.sources.items():
        probs = load_shared(source)(inputs).softmax(-1)
        texts[name] = processor.batch_decode(probs.argmax(-1))[0]
        sure[name] = float(torch.max(probs, -1).values.mean())
    return compress_plots.transcripts_html(texts, sure)


def render_one_input(run: CompressRun | None) -> list[Any]:
    """Return updates for the components of `OneInputView`."""
    task = run.config.task if run and run.result else ""
    last = gr.skip()
    if run and task == "digits":
        # What was chosen of another test split may be beyond the end of this one.
        last = gr.Number(value=0, maximum=len(next(iter(run.test_probs.values()))) - 1)
    return [
        gr.Row(visible=task == "digits"),
        last,
        gr.Textbox(visible=task == "sentiment"),
        gr.Audio(visible=task == "speech"),
        "",
    ]


@shows_errors
def on_result(run_id: str, token: str, index: float, text: str, clip: str | None) -> list[Any]:
    """Answer the input at hand when a compression has ended.

    Args:
        run_id: The compression on show; empty for none.
        token: The visitor's token.
        index: Of the test image.
        text: What is in the box.
        clip: The sound.

    Returns:
        The test image's number, the image and the table of answers.
    """
    if not run_id:
        return [gr.skip(), None, ""]
    task = read_own_compression(run_id, token).config.task
    if task == "sentiment":
        return [gr.skip(), None, on_text(run_id, token, text)]
    if task == "speech":
        return [gr.skip(), None, on_clip(run_id, token, clip)]
    place = on_next(run_id, token, index)
    return [place, *on_image(run_id, token, place)]


def build_one_input(
    run_id: Component, visitor: gr.BrowserState, finished: gr.State
) -> OneInputView:
    """Build the part.

    Args:
        run_id: The compression on show.
        visitor: Holds the visitor's token.
        finished: The same compression's id once it has a result, else empty.
    """
    gr.Markdown("### One input through every variant")
    with gr.Row(visible=False, elem_classes=["one-and-two", "flush"]) as digits:
        with gr.Column():
            index = gr.Number(
                0,
                label="Test image",
                precision=0,
                minimum=0,
                maximum=9999,
                elem_id="compress-index",
            )
            differing = gr.Button("Next one they differ on", size="sm", elem_id="compress-next")
        image = gr.Image(
            show_label=False, buttons=[], height=150, elem_classes="pixelated", container=False
        )
    text = gr.Textbox(_TEXT, label="Text", visible=False, elem_id="compress-text")
    clip = gr.Audio(
        str(_CLIP),
        type="filepath",
        sources=["upload", "microphone"],
        label="Clip",
        visible=False,
        elem_id="compress-clip",
    )
    answers = gr.HTML(
        elem_id="compress-answers",
        css_template=compress_plots.ANSWERS_CSS,
        apply_default_css=False,
        padding=False,
    )
    who = [run_id, visitor]
    index.input(on_image, [*who, index], [image, answers], **LATEST)
    differing.click(on_next, [*who, index], index, **QUIET).then(
        on_image, [*who, index], [image, answers], **QUIET
    )
    text.input(on_text, [*who, text], answers, **LATEST)
    clip.input(
        on_clip,
        [*who, clip],
        answers,
        trigger_mode="always_last",
        api_visibility="private",
    )
    finished.change(
        on_result, [finished, visitor, index, text, clip], [index, image, answers], **QUIET
    )
    return OneInputView(digits, index, text, clip, answers)
