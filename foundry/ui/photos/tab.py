"""The Photos tab: what is on a picture, and what the network sees in it."""

from typing import Any

import gradio as gr

from foundry.models import available_variants
from foundry.photos.teaching.projects import remove_old_projects
from foundry.photos.teaching.tuning.runs import remove_strays
from foundry.ui.components.pretrained_choice import describe_choice
from foundry.ui.components.variants.bars import build_variant_bars
from foundry.ui.page.feedback import EVERY, IN_TURN, LATEST, QUIET
from foundry.ui.page.language import OUR_CHOICES
from foundry.ui.page.page import Page
from foundry.ui.page.variants import VariantChoice
from foundry.ui.photos import view
from foundry.ui.photos.api import build_photos_api
from foundry.ui.photos.choice import DEFAULT_MODEL, list_photo_models
from foundry.ui.photos.cover import COVERED_CSS, STAGE_JS, on_cover
from foundry.ui.photos.examples import EXAMPLES_CSS, EXAMPLES_JS, examples_html
from foundry.ui.photos.fool import build_fool
from foundry.ui.photos.input import build_photo_input
from foundry.ui.photos.look import LOOK_CSS, LOOK_JS, on_look
from foundry.ui.photos.recognise import (
    PHOTO_HINT,
    on_example,
    on_photo,
    on_photo_again,
    on_ready,
)
from foundry.ui.photos.several import build_several
from foundry.ui.photos.teach.section import build_teach_section
from foundry.ui.photos.variants import on_compare


def build_photos_tab(page: Page) -> None:
    """Build the tab; what is on it comes when somebody first opens it.

    Args:
        page: What stands around it.
    """
    with gr.Tab("Photos", id="photos") as tab:
        variant = page.variants.follow()
        is_open = gr.State(False)

        # The page's first load does not carry it.
        @gr.render(inputs=[variant], triggers=[is_open.change], **IN_TURN)
        def show(chosen: str) -> None:
            _build_recognition(page.variants, variant, chosen)

        build_teach_section(page.visitor, page.queue)
        tab.select(lambda: True, None, is_open, **QUIET)
        page.links.open_only("photos")
        build_photos_api(page.queue)
    page.sweeps.extend((remove_old_projects, remove_strays))


def _build_recognition(choice: VariantChoice, variant: gr.State, chosen: str) -> None:
    flush: dict[str, Any] = {"elem_classes": "flush", "apply_default_css": False}
    with gr.Row(elem_classes="answer-second"):
        with gr.Column():
            photo = build_photo_input(label="Photo", height=320, elem_id="photos-photo")
        with gr.Column():
            answer = gr.HTML(
                view.hint(PHOTO_HINT),
                css_template=view.ANSWER_CSS,
                js_on_load=LOOK_JS,
                elem_id="photos-answer",
                **flush,
            )
            note = gr.Markdown(elem_classes="foundry-note", elem_id="photos-note")
            looked = gr.HTML(
                css_template=LOOK_CSS, js_on_load=STAGE_JS, elem_id="photos-looked", **flush
            )
            covered = gr.HTML(css_template=COVERED_CSS, elem_id="photos-covered", **flush)
            compared = build_variant_bars(
                choice, "photos", chosen, available_variants(DEFAULT_MODEL)
            )
        with gr.Column():
            examples = gr.HTML(
                examples_html(),
                css_template=EXAMPLES_CSS,
                js_on_load=EXAMPLES_JS,
                elem_id="photos-examples",
                **flush,
            )
            model = gr.Dropdown(
                list_photo_models(),
                value=DEFAULT_MODEL,
                label="Model",
                interactive=True,
                elem_id="photos-model",
                elem_classes=OUR_CHOICES,
                **describe_choice("image classifier with safetensors weights"),
            )
    build_fool(photo, model)
    build_several(photo, model, variant)
    named = (
        on_photo,
        [photo, model, variant, compared.answered],
        [answer, note, looked, *compared.outputs()],
    )
    compared.connect(on_compare, [photo, model, variant])
    # Each: what is put off until the one before has ended would come with that one's event.
    look = answer.select(on_look, [photo, model], looked, **EVERY)
    cover = looked.select(on_cover, [photo, model, variant], covered, **EVERY)
    # What is still to be said of the photo before is not to be said of this one.
    photo.change(*named, cancels=[look, cover], **LATEST)
    # What was said with a part covered is about what was looked at then.
    looked.change(lambda: "", None, covered, **QUIET)
    examples.select(on_example, None, photo, **EVERY)
    for change in (model.input, variant.change):
        # Each, also beside another that loads: the answer is of what is chosen by then.
        change(
            on_ready,
            [model, variant],
            note,
            trigger_mode="multiple",
            cancels=[look, cover],
            **QUIET,
        ).then(on_photo_again, *named[1:], **QUIET)
