"""Classes to take home, and to load again."""

import json
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from foundry.compression.export import FORMATS, Exportable, write_archive
from foundry.errors import InputError
from foundry.models import DENSE, save_model
from foundry.models.variants import SIGNATURES
from foundry.photos.model import prepare_photo
from foundry.photos.teaching.lessons import load_taught
from foundry.photos.teaching.projects import Project
from foundry.photos.teaching.taking_home import build_whole, load_project, save_project
from foundry.ui.page.feedback import shows_errors
from foundry.ui.page.language import OUR_CHOICES
from foundry.ui.photos.examples import EXAMPLES, open_example
from foundry.ui.photos.teach.handlers import TAKEN_HOME, find_project, show_all

PROJECT = "project"


def write_taught(project: Project, file_format: str, folder: Path) -> Path:
    """Write what was taught as a zip file that is of use without Foundry, or as a project.

    Args:
        project: The visitor's own.
        file_format: `project`, `safetensors`, `openvino` or `onnx`.
        folder: Where to write.

    Raises:
        InputError: If it was never trained, or there is no such format.
    """
    name = f"classes-{project.project_id}"
    if file_format == PROJECT:
        path = folder / f"{name}.zip"
        save_project(project, path)
        return path
    network = build_whole(load_taught(project))
    with tempfile.TemporaryDirectory() as made:
        checkpoint = Path(made)
        save_model(network, checkpoint)
        labels = json.dumps({"labels": network.config["labels"]}, ensure_ascii=False, indent=2)
        (checkpoint / "classes.json").write_text(f"{labels}\n", "utf-8")
        example = prepare_photo(open_example(next(iter(EXAMPLES))))
        exportable = Exportable(
            name, DENSE, network, None, SIGNATURES["photos"], [(example,)], checkpoint
        )
        return write_archive(exportable, file_format, folder)


@shows_errors
def on_take(file_format: str, token: str) -> Any:
    """Write what was chosen.

    Args:
        file_format: As `write_taught()` takes it.
        token: The visitor's.

    Returns:
        The button with the file.
    """
    project = find_project(token)
    if project is None:
        raise InputError("There are no classes to take home.")
    changed_at = (project.folder / "project.json").stat().st_mtime_ns
    key = (project.project_id, changed_at, file_format)
    (path,) = TAKEN_HOME.get(key, lambda folder: [write_taught(project, file_format, folder)])
    return gr.DownloadButton(value=path, visible=True)


def forget_file() -> list[Any]:
    """Take back a file that was written, because another network answers now."""
    return [None, gr.DownloadButton(value=None, visible=False)]


@shows_errors
def on_load(path: str | None, token: str) -> list[Any]:
    """Load a project, which is then the one on the page.

    Args:
        path: Of the ZIP file.
        token: The visitor's.

    Returns:
        As `show_all()`, then a note.
    """
    if path is None:
        raise InputError("There is no file; send a ZIP file with a folder for each class.")
    before = find_project(token)
    project, num_twice = load_project(Path(path), token)
    notes = []
    if num_twice == 1:
        notes.append("1 picture was there twice and is kept once.")
    elif num_twice:
        notes.append(f"{num_twice} pictures were there twice and are kept once.")
    if before is not None:
        notes.append(
            f"The classes that were here before left the page. Programs can still ask for "
            f"“{before.project_id}”. Delete all of it deletes them, too, and else they go a week "
            "after their last change."
        )
    return [*show_all(project), "\n\n".join(notes)]


def build_downloads(visitor: gr.BrowserState) -> tuple[gr.UploadButton, list[Component]]:
    """Build the row.

    Args:
        visitor: Holds the visitor's token.

    Returns:
        The button that loads a project, whose event is the caller's to connect; and what
        `forget_file()` updates.
    """
    with gr.Row():
        file_format = gr.Dropdown(
            [("Project: pictures and head", PROJECT), *[(one, one) for one in FORMATS]],
            value=None,
            label="Take home",
            interactive=True,
            elem_id="teach-format",
            elem_classes=OUR_CHOICES,
        )
        with gr.Column():
            download = gr.DownloadButton("Save the file", visible=False, elem_id="teach-download")
            load = gr.UploadButton("Load a project", file_types=[".zip"], elem_id="teach-load")
    file_format.input(
        on_take,
        [file_format, visitor],
        download,
        trigger_mode="always_last",
        api_visibility="private",
    )
    return load, [file_format, download]
