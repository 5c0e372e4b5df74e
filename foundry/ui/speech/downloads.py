"""The files of a transcript that a visitor takes home."""

import hashlib
from pathlib import Path

from foundry.speech import Transcript, captions
from foundry.ui.server.downloads import KeptFiles

NUM_DOWNLOADS = 4
_FILES = KeptFiles(50)


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

    def write(folder: Path) -> list[Path]:
        for name, text in contents.items():
            (folder / name).write_text(text, "utf-8")
        return [folder / name for name in contents]

    digest = hashlib.sha256(contents["transcript.json"].encode()).hexdigest()
    return _FILES.get(digest, write)
