"""The named endpoints for photos; foundry/ui/README.md has an example of each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from foundry.data.pictures import inspect_file, load_photo
from foundry.errors import InputError
from foundry.models import DENSE
from foundry.photos import classify_photo, rank
from foundry.photos.classification import NUM_GUESSES
from foundry.photos.teaching.archive import read_archive
from foundry.photos.teaching.lessons import ask, load_taught, teach_project
from foundry.photos.teaching.outcome import estimate_interval
from foundry.photos.teaching.projects import (
    Project,
    create_project,
    read_own_project,
    remove_project,
)
from foundry.photos.teaching.tuning.runs import TUNINGS, create_tuning
from foundry.runs.folders import ACTIVE, is_run_id
from foundry.runs.queue import RunQueue
from foundry.ui.components.run_api import start_and_follow
from foundry.ui.page.feedback import shows_errors
from foundry.ui.page.visitor import session_owner
from foundry.ui.photos.choice import DEFAULT_MODEL, load_chosen
from foundry.ui.server.queues import LESSONS, OWN_QUEUE


@shows_errors
def classify_image(
    image_file: str | None, model: str, variant: str, request: gr.Request | None = None
) -> dict[str, Any]:
    """Return the likeliest name of what is on a picture, and the five likeliest with their shares.

    The names are the model's own; of ImageNet's classes the first English one. Of classes that you
    have taught all are returned, and the label is `none of these` where none fits.
    """
    if image_file is None:
        raise InputError("There is no image; send a PNG, JPEG or WebP file.")
    if request is not None and is_run_id(model):
        return _classify_taught(image_file, model, variant, session_owner(request))
    classifier = load_chosen(model, variant)
    probs = classify_photo(classifier, _open(image_file))
    guesses = rank(classifier, probs, NUM_GUESSES)
    return {
        "label": guesses[0].label,
        "confidences": [{"label": guess.label, "confidence": guess.prob} for guess in guesses],
    }


def _classify_taught(image_file: str, model: str, variant: str, owner: str) -> dict[str, Any]:
    taught = load_taught(read_own_project(model, owner))
    if variant != DENSE.name:
        raise InputError(
            f"Classes that were taught have no variant “{variant}”; choose {DENSE.name}."
        )
    said = ask(taught, _open(image_file))
    return {
        "label": said.label,
        "confidences": [{"label": label, "confidence": prob} for label, prob in said.probs.items()],
    }


def _open(image_file: str) -> Image.Image:
    image = load_photo(image_file)
    if remark := inspect_file(image_file).remark:
        gr.Warning(remark)
    return image


@shows_errors
def teach(zip_file: str | None, request: gr.Request) -> dict[str, Any]:
    """Teach classes from a ZIP file with a folder for each; return what `/classify_image` takes.

    A fifth of the pictures of each class is set aside, and says how good it is.
    """
    if zip_file is None:
        raise InputError("There is no file; send a ZIP file with a folder for each class.")
    with LESSONS.turn():
        labels, squares, num_twice = read_archive(Path(zip_file))
        project = create_project(session_owner(request), labels, squares)
        try:
            *_, taught = teach_project(project)
            assert isinstance(taught, Project) and taught.outcome
        except BaseException:
            remove_project(project)
            raise
    outcome = taught.outcome
    low, high = estimate_interval(outcome.num_right, len(outcome.checked))
    return {
        "model": taught.project_id,
        "accuracy": outcome.accuracy,
        "accuracy_low": low,
        "accuracy_high": high,
        "num_validated": len(outcome.checked),
        "num_learned": outcome.num_learned,
        "num_twice": num_twice,
        "accuracy_from_scratch": outcome.scratch_accuracy,
        "classes": list(labels),
        "elapsed_s": outcome.elapsed_s,
    }


def build_photos_api(queue: RunQueue) -> None:
    """Add `/classify_image`, `/teach` and `/fine_tune` to the app being built.

    Args:
        queue: Where fine-tunings wait their turn.
    """

    def fine_tune(request: gr.Request, model: str) -> Iterator[dict[str, Any]]:
        """Fine-tune the last block of the network on classes that you have taught.

        Streams progress; the last item has what came out. From then on what was fine-tuned answers
        unless it is worse than the head alone.
        """
        for run in start_and_follow(queue, TUNINGS, request, create_tuning, model):
            if run.status not in ACTIVE and run.result is None:
                raise InputError(f"The fine-tuning was {run.status}. {run.reason}".strip())
            yield run.summary

    gr.api(shows_errors(fine_tune), api_name="fine_tune", concurrency_limit=None)
    with gr.Column(visible=False):
        zip_file = gr.File(label="zip_file")
        gr.Button().click(teach, zip_file, gr.JSON(label="taught"), api_name="teach", **OWN_QUEUE)
        image_file = gr.File(label="image_file")
        model = gr.Textbox(DEFAULT_MODEL, label="model")
        variant = gr.Textbox(DENSE.name, label="variant")
        gr.Button().click(
            classify_image,
            [image_file, model, variant],
            gr.JSON(label="image"),
            api_name="classify_image",
        )
