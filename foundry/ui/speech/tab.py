"""The Speech tab: record or upload, read along, search by ear, take the words home."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import gradio as gr

from foundry.models.hub import FREE_ENGLISH
from foundry.speech.transcription import BEAM, GREEDY
from foundry.ui.components.clips import CLIPS, EXAMPLES
from foundry.ui.components.pretrained_choice import describe_choice
from foundry.ui.components.variants.bars import build_variant_bars
from foundry.ui.page.feedback import EVERY, LATEST, QUIET
from foundry.ui.page.language import OUR_CHOICES
from foundry.ui.page.link_button import LinkedTab
from foundry.ui.page.page import Page
from foundry.ui.server.queues import OWN_QUEUE
from foundry.ui.speech import picture as speech_picture
from foundry.ui.speech import view as speech_view
from foundry.ui.speech.api import build_speech_api
from foundry.ui.speech.asking import (
    on_cancel,
    on_new_sound,
    on_other_way,
    on_press,
    on_record,
    show_running,
)
from foundry.ui.speech.channels import build_switch, on_stretch, show_switch
from foundry.ui.speech.inside.section import (
    Chosen,
    build_inside_view,
    build_rivals,
)
from foundry.ui.speech.link import read_settings, write_settings
from foundry.ui.speech.live import build_live_section
from foundry.ui.speech.model import (
    ABOUT_SHIPPED,
    GET_FREE_ENGLISH,
    SHIPPED,
    has_word_list,
    list_speech_models,
    offer_free_english,
    on_choose,
    on_variant,
    on_visit,
    warm_up,
)
from foundry.ui.speech.score import build_score_section
from foundry.ui.speech.several.section import build_several
from foundry.ui.speech.transcribing import on_transcribe
from foundry.ui.speech.variants import connect_bars


def on_word(event: gr.EventData) -> list[Any]:
    """Move the player to the word that was pressed, and look into it.

    Args:
        event: Carries the seconds at which the word begins and ends, and its channel.

    Returns:
        The player, and what to look into.
    """
    chosen = Chosen(
        float(event.start_s), float(event.end_s), int(event.channel), pressed_at=time.time()
    )
    return [gr.Audio(playback_position=max(0.0, chosen.start_s)), chosen]


def on_link(settings: Mapping[str, Any]) -> list[Any]:
    """Return the clip, the model, the decoding and that somebody was here, as a link asks."""
    clip = settings["clip"]
    path = str(CLIPS / f"{clip}.flac") if clip else None
    decoding = gr.Radio(value=settings["decoding"], interactive=has_word_list(settings["model"]))
    return [path, settings["model"], decoding, True]


def build_speech_tab(page: Page) -> None:
    """Build the tab.

    Args:
        page: What stands around it.
    """
    variant = page.variants.variant
    with gr.Tab("Speech", id="speech") as tab:
        text, was_here, drawn = gr.State(""), gr.State(False), gr.State(None)
        # When an answer was last asked for, other than by pressing the button. A State would be
        # taken as changed by the first event that could have changed it.
        asked = gr.JSON(visible=False)
        live = build_live_section()
        gr.Markdown("### Or a recording")
        with gr.Row(elem_classes="halves"):
            with gr.Column():
                audio = gr.Audio(
                    label="Speech: record, or any sound file",
                    type="filepath",
                    sources=["upload", "microphone"],
                    elem_id="speech-audio",
                    buttons=[],
                )
                gr.Examples(
                    [[str(CLIPS / f"{name}.flac")] for name in EXAMPLES.values()],
                    [audio],
                    example_labels=list(EXAMPLES),
                    label="Or a clip by a speech synthesiser",
                    api_visibility="private",
                )
                by_channel = build_switch()
                with gr.Row():
                    start = gr.Button("Transcribe", variant="primary", elem_id="speech-start")
                    cancel = gr.Button("Cancel", visible=False, elem_id="speech-cancel")
                model = gr.Dropdown(
                    list_speech_models(),
                    value=SHIPPED,
                    label="Model",
                    elem_id="speech-model",
                    elem_classes=OUR_CHOICES,
                    **describe_choice("Wav2Vec2 or HuBERT CTC model"),
                )
                decoding = gr.Radio(
                    [("word list (beam)", BEAM), ("letter by letter (greedy)", GREEDY)],
                    value=BEAM,
                    label="Decoding",
                    elem_id="speech-decoding",
                )
            with gr.Column():
                status = gr.HTML(elem_id="speech-status")
                transcript = gr.HTML(
                    speech_view.transcript_html(None),
                    elem_id="speech-transcript",
                    js_on_load=speech_view.WORDS_JS,
                    css_template=speech_view.TRANSCRIPT_CSS,
                    apply_default_css=False,
                )
                rivals = build_rivals()
                figures = gr.HTML(padding=False)
                compared = build_variant_bars(page.variants, "speech")
                gr.Markdown(ABOUT_SHIPPED, elem_classes="foundry-note")
                free_english = gr.Button(
                    GET_FREE_ENGLISH, size="sm", elem_id="speech-free-english", visible=False
                )
        with gr.Column(visible=False) as results:
            picture = gr.HTML(
                elem_id="speech-picture",
                js_on_load=speech_view.WORDS_JS + speech_picture.FOLLOW_JS,
                css_template=speech_view.CONFIDENCE_CSS + speech_picture.PICTURE_CSS,
                apply_default_css=False,
            )
            inside = build_inside_view(rivals)
            with gr.Row():
                downloads = [
                    gr.DownloadButton(label, size="sm", min_width=120)
                    for label in (
                        "Text",
                        "Captions (SRT)",
                        "Captions (VTT)",
                        "Words and times (JSON)",
                    )
                ]
            score = build_score_section(text)
        build_several(page.visitor, audio, model, decoding, variant)
        outputs = [status, transcript, figures, results, picture, score, *downloads, audio, text]
        outputs += [inside.kept, inside.chosen, drawn]
        buttons = [start, cancel]
        run = gr.on([start.click, asked.change], on_press, audio, buttons, **QUIET).then(
            on_transcribe,
            [audio, model, decoding, variant, by_channel],
            outputs,
            **OWN_QUEUE,
            **QUIET,
        )
        run.then(partial(show_running, False), None, buttons, **QUIET)
        comparing = connect_bars(compared, page.variants, run, [audio, model, decoding], by_channel)
        # Twice, because progress that is on its way to the page may arrive after the first.
        cancelled = [status, *buttons]
        cancel.click(on_cancel, None, cancelled, cancels=[run], **QUIET).then(
            on_cancel, None, cancelled, **QUIET
        )
        audio.start_recording(on_record, None, start, **QUIET)
        audio.change(
            on_new_sound,
            [audio, model, variant, compared.answered],
            [
                status,
                transcript,
                figures,
                results,
                audio,
                text,
                score,
                inside.kept,
                by_channel,
                *compared.outputs(),
                compared.progress,
                *buttons,
                asked,
            ],
            cancels=[run, *comparing],
            **QUIET,
        ).then(show_switch, audio, by_channel, **QUIET)
        in_sight = page.variants.open_tab
        again = {
            "fn": partial(on_other_way, tab.label),
            "inputs": [audio, in_sight],
            "outputs": [asked, *buttons],
            **QUIET,
        }
        loading = [model, variant], [status, model, decoding]
        model.input(on_choose, *loading, cancels=[run], **LATEST).success(**again)
        got = free_english.click(lambda: FREE_ENGLISH, None, model, cancels=[run], **QUIET).then(
            on_choose, *loading, **QUIET
        )
        got.then(offer_free_english, None, free_english, **QUIET).success(**again)
        page.variants.follow().change(
            partial(on_variant, tab.label),
            [model, variant, in_sight],
            loading[1],
            cancels=[run],
            **QUIET,
        ).success(**again)
        gr.on([decoding.input, by_channel.input], cancels=[run], **{**again, **LATEST})
        tab.select(
            on_visit,
            [was_here, model, variant],
            [*loading[1], was_here, free_english],
            **QUIET,
        )
        live.connect(model, variant)
        linked = {"clip": audio, "model": model, "decoding": decoding}
        outputs_of_link = [audio, model, decoding, was_here]
        page.links.offer(
            "speech", LinkedTab(read_settings, linked, outputs_of_link, on_link, write_settings)
        )
        page.warm_ups.append(warm_up)
        build_speech_api()
        picture.input(on_stretch, drawn, picture, **EVERY)
        for words in (transcript, picture):
            words.select(on_word, None, [audio, inside.chosen], **EVERY).then(
                None, None, None, js=speech_view.PLAY_JS, **QUIET
            )
