"""The files of a transcript that a visitor takes home."""

import hashlib
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from foundry import captions
from foundry.cleaning import make_downloads_folder
from foundry.speech import Transcript

NUM_DOWNLOADS = 4
_NUM_KEPT = 50


@lru_cache(maxsize=1)
def _downloads_folder() -> tempfile.TemporaryDirectory[str]:
    return make_downloads_folder()


def write_downloads(transcript: Transcript, model: str, variant: str) -> list[str]:
    """Write a transcript as `NUM_DOWNLOADS` files.

    Args:
        transcript: What was said.
        model: The model's name.
        variant: The name of its variant.

    Returns:
        Their paths: text, SRT, WebVTT, JSON.
    """
    contents = {
        "transcript.txt": captions.format_txt(transcript),
        "transcript.srt": captions.format_srt(transcript),
        "transcript.vtt": captions.format_vtt(transcript),
        "transcript.json": captions.format_json(transcript, model, variant),
    }
    digest = hashlib.sha256(contents["transcript.json"].encode()).hexdigest()[:16]
    folder = Path(_downloads_folder().name) / digest
    folder.mkdir(exist_ok=True)
    # The page has copies; these are for the moment between.
    oldest_first = sorted(folder.parent.iterdir(), key=lambda path: path.stat().st_mtime)
    for old in oldest_first[:-_NUM_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    for name, text in contents.items():
        (folder / name).write_text(text, "utf-8")
    return [str(folder / name) for name in contents]
