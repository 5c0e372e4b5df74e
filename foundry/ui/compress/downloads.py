"""Downloading a variant of a compressed model, with a script that loads it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from foundry.compression.export import FORMATS, OPENVINO, load_exportable, write_archive
from foundry.compression.runs import CompressRun, read_own_compression
from foundry.compression.state import DENSE, MASKED
from foundry.errors import InputError
from foundry.models import VARIANTS
from foundry.runs.data_sets import calibrate_on
from foundry.runs.folders import is_run_id
from foundry.ui.page.feedback import QUIET, shows_errors
from foundry.ui.server.downloads import KeptFiles

# The largest has 90 MB.
_FILES = KeptFiles(8)


def list_downloads(run: CompressRun | None) -> list[str]:
    """Return the variants that can be downloaded."""
    if run is None or run.result is None:
        return []
    names = [row["variant"] for row in run.result["rows"]]
    return [name for name in names if name in VARIANTS or name == MASKED]


@shows_errors
def on_write(run_id: str, token: str, variant: str | None, file_format: str) -> Any:
    """Write a variant as a zip file.

    Args:
        run_id: The compression on show.
        token: The visitor's token.
        variant: The name of one that can be downloaded.
        file_format: One of `FORMATS`.

    Returns:
        The file.
    """
    run = read_own_compression(run_id, token)
    if variant not in (there_are := list_downloads(run)):
        raise InputError(f"There is no variant “{variant}”; choose one of {', '.join(there_are)}.")
    (file,) = _FILES.get(
        (run.run_id, variant, file_format),
        lambda folder: [_write(run, variant, file_format, folder)],
    )
    return gr.File(file, visible=True)


def _write(run: CompressRun, variant: str, file_format: str, folder: Path) -> Path:
    title = run.run_id if is_run_id(run.config.model) else run.config.model
    if run.config.task != "digits":
        exportable = load_exportable(run.config.model, run.config.task, VARIANTS[variant])
    elif variant == MASKED:
        masked = load_exportable(
            run.variants_folder / MASKED, "digits", calibration=calibrate_on(run.dataset)
        )
        exportable = replace(masked, name=f"{title}-{MASKED}")
    else:
        # The pruned network lies beside the dense one, as with shipped models.
        own = load_exportable(
            run.variants_folder / DENSE, "digits", VARIANTS[variant], calibrate_on(run.dataset)
        )
        exportable = replace(own, name=title)
    return write_archive(exportable, file_format, folder)


def build_downloads(run_id: Component, visitor: gr.BrowserState) -> gr.Dropdown:
    """Build the part.

    Args:
        run_id: The compression on show.
        visitor: Holds the visitor's token.

    Returns:
        The choice of variants, to be filled with `list_downloads()`.
    """
    gr.Markdown("### Download a variant")
    with gr.Row():
        variant = gr.Dropdown([], label="Variant", elem_id="compress-form", min_width=160)
        file_format = gr.Radio(
            list(FORMATS),
            value=OPENVINO,
            label="Format",
            info="int8 is an OpenVINO or an ONNX model; PyTorch does not run it.",
            min_width=300,
        )
    write = gr.Button("Write the file", size="sm", elem_id="compress-write")
    file = gr.File(visible=False, label="With a script that loads it", elem_id="compress-file")
    write.click(on_write, [run_id, visitor, variant, file_format], file, api_visibility="private")
    variant.change(lambda: gr.File(None, visible=False), None, file, **QUIET)
    return variant
