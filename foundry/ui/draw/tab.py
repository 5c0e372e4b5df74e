"""The Draw tab: a pad that is read while you draw, and photos of handwriting."""

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr
from PIL import Image, ImageDraw

from foundry.data import DIGITS
from foundry.digits.activations import compute_activations
from foundry.digits.ink import drawing_ink
from foundry.digits.reading import classify_digits, read_ink
from foundry.errors import ArtifactError, InputError
from foundry.models import DENSE, load_model
from foundry.ui.components import plots
from foundry.ui.components.model_choice import (
    DEFAULT_MODEL,
    find_own_data_run,
    list_any_variants,
    list_digit_models,
    list_drawable_models,
    load_any_predictor,
)
from foundry.ui.components.pad import build_pad, decode_drawing, see_drawing
from foundry.ui.components.pretrained_choice import Loading, watch
from foundry.ui.components.variants.answers import Answered
from foundry.ui.components.variants.bars import build_variant_bars, show_bars
from foundry.ui.draw.api import build_draw_api
from foundry.ui.draw.curves.drift import build_drift
from foundry.ui.draw.fool import build_fool
from foundry.ui.draw.hand.correction import build_correction
from foundry.ui.draw.hand.section import build_hand_section
from foundry.ui.draw.inside_api import build_inside_api
from foundry.ui.draw.link import read_settings
from foundry.ui.draw.look_inside import TELL_MODEL_JS, build_look_inside
from foundry.ui.draw.maps import build_maps, on_look
from foundry.ui.draw.neuron import build_neuron
from foundry.ui.draw.photo import build_photo
from foundry.ui.draw.remarks import remark_on_drawing
from foundry.ui.draw.variants import on_compare, tell_answers
from foundry.ui.page.feedback import EVERY, LATEST, QUIET
from foundry.ui.page.language import OUR_CHOICES
from foundry.ui.page.link_button import LinkedTab
from foundry.ui.page.page import Page

_OPEN_JS = """() => {
  document.querySelector('[role=tab][data-tab-id=draw]').click();
  scrollTo(0, 0);
}"""


def on_visit(token: str, chosen: str) -> Any:
    """List the models; training may have added some since the tab was last seen.

    Args:
        token: The visitor's token.
        chosen: The model chosen so far; kept if it still exists.
    """
    choices = list_drawable_models(token)
    kept = chosen if chosen in (name for _, name in choices) else DEFAULT_MODEL
    return gr.Dropdown(choices=choices, value=kept)


def on_chosen_run(chosen: tuple[str, float], token: str) -> Any:
    """Choose the run that the visitor comes with from another tab.

    Args:
        chosen: Its id, and when it was chosen.
        token: The visitor's token.
    """
    return on_visit(token, chosen[0])


def on_variant(device: str, model_name: str, token: str, variant: str) -> Iterator[str]:
    """Make a variant ready, saying how far it is, before it is drawn for.

    Args:
        device: Where float32 models run.
        model_name: The chosen model.
        token: The visitor's token.
        variant: The name of the variant.

    Yields:
        A sentence.
    """
    try:
        load = partial(load_any_predictor, model_name, token, device, variant)
        for step in watch(lambda on_progress: load(on_progress), f"Loading {variant}"):
            if isinstance(step, Loading):
                yield f"{step.sentence}: {step.share:.0%}"
    except (InputError, ArtifactError) as error:
        yield str(error)
        return
    yield ""


def on_draw(
    device: str,
    drawing: Any,
    model_name: str,
    token: str,
    variant: str = DENSE.name,
    answered: Answered | None = None,
) -> list[Any]:
    """Read the pad.

    Args:
        device: Where the model runs.
        drawing: The pad's value.
        model_name: The chosen model.
        token: The visitor's token.
        variant: The name of the variant.
        answered: What the variants answered so far, if they did.

    Returns:
        The bars, the time it took, what the variants answered, and the bars of that. In place of
        the time the sentence that says why there is no answer.
    """
    answered = answered or Answered()
    try:
        return _read_pad(device, drawing, model_name, token, variant, answered)
    except (InputError, ArtifactError) as error:
        # What another model or variant answered is not left in its place.
        return [plots.digit_bars(None), str(error), *show_bars(answered.clear(), variant)]


def _read_pad(
    device: str, drawing: Any, model_name: str, token: str, variant: str, answered: Answered
) -> list[Any]:
    own = find_own_data_run(model_name, token)
    started = time.perf_counter()
    predictor = load_any_predictor(model_name, token, device, variant)
    ink = reading = seen = None
    if own:
        seen = see_drawing(own, drawing)
    elif image := decode_drawing(drawing):
        ink = drawing_ink(image)
        reading = read_ink(predictor, ink)
        seen = reading.image if reading else None
    if seen is None:
        offered = list_any_variants(model_name, token)
        return [plots.digit_bars(None), "", *show_bars(answered.clear(), variant, offered)]
    probs = reading.probs if reading else classify_digits(predictor, seen[None])[0]
    elapsed_ms = 1000 * (time.perf_counter() - started)
    note = f"From ink to probabilities in {elapsed_ms:.0f} ms."
    remark = remark_on_drawing(predictor, ink, reading) if ink is not None and reading else ""
    told = tell_answers(seen[None], model_name, token, device, variant, answered)
    bars = plots.digit_bars(probs.tolist(), own.classes if own else DIGITS)
    return [bars, f"{remark} {note}".strip(), *told]


def warm_up(device: str) -> None:
    """Answer once, so that no visitor waits for what is loaded at first.

    Args:
        device: Where models run.
    """
    model = load_model(DEFAULT_MODEL, device)
    page = Image.new("L", (280, 280), 255)
    ImageDraw.Draw(page).line([(140, 60), (140, 220)], fill=0, width=20)
    reading = read_ink(model, drawing_ink(page))
    if reading:
        compute_activations(model, reading.image)


def build_draw_tab(page: Page) -> None:
    """Build the tab.

    Args:
        page: What stands around it.
    """
    with gr.Tab("Draw", id="draw") as tab:
        with gr.Row(elem_classes="halves"):
            with gr.Column():
                pad = build_pad("draw-pad")
            with gr.Column():
                answer = gr.HTML(plots.digit_bars(None), elem_id="draw-answer")
                timing = gr.Markdown(elem_classes="foundry-note", elem_id="draw-timing")
                correction = build_correction(pad, page.visitor, tab)
                compared = build_variant_bars(page.variants, "draw")
                model = gr.Dropdown(
                    list_digit_models(""),
                    value=DEFAULT_MODEL,
                    label="Model",
                    info="The shipped network, or one you have trained on the Train tab.",
                    elem_id="draw-model",
                    elem_classes=OUR_CHOICES,
                )
        maps = build_maps()
        looked_into = [pad, model, page.visitor, page.variants.variant]
        build_neuron(page.device, looked_into)
        build_look_inside(page.device, looked_into)
        build_fool(page.device, looked_into)
        build_drift(page.device, page.visitor)
        build_hand_section(page.device, model, page.visitor, correction)
        # For each who answers again one of its own, see `VariantChoice.follow()`.
        again = [gr.State(0.0) for _ in range(3)]
        build_photo(page.device, [model, page.visitor, page.variants.variant], again[2])

        variant, visitor, device = page.variants.variant, page.visitor, page.device
        gr.on(
            [pad.input, again[0].change],
            partial(on_draw, device),
            [pad, model, visitor, variant, compared.answered],
            [answer, timing, *compared.outputs()],
            **LATEST,
        )
        gr.on(
            [maps.input, again[1].change],
            partial(on_look, device),
            [pad, model, visitor, variant],
            maps,
            **LATEST,
        )
        tab.select(on_visit, [visitor, model], model, **QUIET)
        chosen_run = page.chosen_run.change(
            on_chosen_run, [page.chosen_run, visitor], model, **QUIET
        )
        # Opened last, because then the list of models is made anew around the choice.
        chosen_run.then(None, None, None, js=_OPEN_JS, **QUIET)
        linked = LinkedTab(
            read_settings, {"model": model}, [model], lambda settings: [settings["model"]]
        )
        page.links.offer("draw", linked)
        # What is drawn while a variant is being made waits for it.
        for change in (model.change, page.variants.follow().change):
            ready = change(partial(on_variant, device), [model, visitor, variant], timing, **LATEST)
            ready.success(lambda: [time.time()] * len(again), None, again, **EVERY)
            ready.success(None, None, None, js=TELL_MODEL_JS, **QUIET)
        compared.connect(partial(on_compare, device), [pad, model, visitor, variant])
        page.guide.follow_pad(pad)
        page.warm_ups.append(partial(warm_up, device))
        build_draw_api(device)
        build_inside_api(device)
