"""The Speech tab: record or upload, read along, search by ear, take the words home."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import gradio as gr

from foundry.models.hub import FREE_ENGLISH
from foundry.speech.transcription import BEAM, GREEDY
from foundry.ui.components.clips import CLIPS, EXAMPLES
from foundry.ui.components.plots import status_line
from foundry.ui.components.pretrained_choice import describe_choice
from foundry.ui.components.variants.bars import build_variant_bars
from foundry.ui.page.feedback import EVERY, LATEST, QUIET
from foundry.ui.page.link_button import LinkedTab
from foundry.ui.page.page import Page
from foundry.ui.server.queues import OWN_QUEUE
from foundry.ui.speech import picture as speech_picture
from foundry.ui.speech import view as speech_view
from foundry.ui.speech.api import build_speech_api
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
    on_first_visit,
    on_variant,
    warm_up,
)
from foundry.ui.speech.score import build_score_section
from foundry.ui.speech.several.section import build_several
from foundry.ui.speech.transcribing import ask, on_transcribe
from foundry.ui.speech.variants import connect_bars


def show_running(is_running: bool) -> list[Any]:
    """Return both buttons: there is nothing to cancel unless a transcription is under way."""
    return [gr.Button(interactive=not is_running), gr.Button(visible=is_running)]


def on_press(path: str | None) -> list[Any]:
    """Return both buttons, before the transcription starts.

    Args:
        path: Not looked at. Gradio waits for what is being uploaded before it calls, and only then
            does it start what follows: else the arrival would cancel it.
    """
    return show_running(True)


def on_record() -> Any:
    """Return the button that starts: what is being recorded is not here yet.

    Pressed between the end of a recording and its arrival, it would start what the arrival cancels.
    """
    return gr.Button(interactive=False)


def on_new_sound(path: str | None) -> list[Any]:
    """Put away what belongs to the sound before; the same event cancels its transcription.

    Args:
        path: The sound file, if there is another one.

    Returns:
        Status, transcript, figures, the group of results, the player's captions, the text, the
        score, where the letters are, both buttons, and when an answer was asked for.
    """
    asked, status = ask(path)
    return [
        status,
        speech_view.transcript_html(None),
        "",
        gr.Column(visible=False),
        gr.Audio(subtitles=None),
        "",
        "",
        None,
        *show_running(False),
        asked,
    ]


def on_other_way(title: str, path: str | None, open_tab: str) -> list[Any]:
    """Ask again, because another model, variant or decoding was chosen while the tab was in sight.

    Args:
        title: This tab's label.
        path: The sound file.
        open_tab: The label of the tab in sight.

    Returns:
        When it was asked for, if it was; and both buttons, because what was under way is cancelled.
    """
    asked = ask(path)[0] if open_tab == title else gr.skip()
    return [asked, *show_running(False)]


def on_cancel() -> list[Any]:
    """Say that the transcription, which the same event cancels, has ended.

    Returns:
        Status and both buttons.
    """
    return [status_line("Cancelled"), *show_running(False)]


def on_word(event: gr.EventData) -> list[Any]:
    """Move the player to the word that was pressed, and look into it.

    Args:
        event: Carries the seconds at which the word begins and ends, and its channel.

    Returns:
        The player, and what to look into.
    """
    chosen = Chosen(float(event.start_s), float(event.end_s), int(event.channel))
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
        outputs = [status, transcript, figures, results, picture, *downloads, audio, text]
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
        connect_bars(compared, page.variants, run, [audio, model, decoding], by_channel)
        # Twice, because progress that is on its way to the page may arrive after the first.
        cancelled = [status, *buttons]
        cancel.click(on_cancel, None, cancelled, cancels=[run], **QUIET).then(
            on_cancel, None, cancelled, **QUIET
        )
        audio.start_recording(on_record, None, start, **QUIET)
        audio.change(
            on_new_sound,
            audio,
            [
                status,
                transcript,
                figures,
                results,
                audio,
                text,
                score,
                inside.kept,
                *buttons,
                asked,
            ],
            cancels=[run],
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
            status,
            cancels=[run],
            **QUIET,
        ).success(**again)
        decoding.input(cancels=[run], **{**again, **LATEST})
        tab.select(on_first_visit, was_here, [model, decoding, was_here, free_english], **QUIET)
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
