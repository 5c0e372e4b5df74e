"""What models said of the recordings that visitors have on the page, until others need the room."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from foundry.speech.decoding.letters import Letters
from foundry.speech.transcription import Recogniser, TranscribeEvent
from foundry.ui.server.downloads import KeptFiles

# An hour of the shipped model is 11 MB. `look.LATER` says so of what comes after it.
MAX_KEPT_S = 3600.0
_FILES = KeptFiles(20)


@dataclass(frozen=True)
class KeptLetters:
    """Where the letters of a recording are, by channel; a plain value for the page's state.

    Attributes:
        folders: One for each channel that was transcribed by itself, else one.
        model: The model's name.
        variant: The name of its variant.
        decoding: How words were found.
    """

    folders: tuple[str, ...]
    model: str
    variant: str
    decoding: str


@dataclass
class LettersKeeper:
    """Takes the events of a transcription, and writes its letters at the end."""

    recogniser: Recogniser
    _pieces: dict[int, list[np.ndarray]] = field(default_factory=dict)
    _labels: dict[int, np.ndarray] = field(default_factory=dict)

    def take(self, event: TranscribeEvent) -> None:
        """Remember what an event says about letters."""
        most = round(MAX_KEPT_S / self.recogniser.clock.stride_s)
        if event.log_probs is not None:
            pieces = self._pieces.setdefault(event.channel, [])
            left = most - sum(map(len, pieces))
            if left > 0:
                pieces.append(event.log_probs[:left].astype(np.float16))
        if event.labels is not None:
            self._labels[event.channel] = event.labels[:most]

    def write(self, model: str, variant: str, decoding: str) -> KeptLetters:
        """Write what was remembered.

        Args:
            model: The model's name.
            variant: The name of its variant.
            decoding: How words were found.
        """
        folders = [self._write_channel(number) for number in sorted(self._labels)]
        return KeptLetters(tuple(folders), model, variant, decoding)

    def _write_channel(self, number: int) -> str:
        nothing = np.zeros((0, len(self.recogniser.alphabet.symbols)), np.float16)
        log_probs = np.concatenate([nothing, *self._pieces.get(number, [])])
        letters = Letters(log_probs, self._labels[number])
        digest = hashlib.sha256(log_probs.tobytes() + letters.labels.tobytes()).hexdigest()
        return str(Path(_FILES.get(digest, letters.write)[0]).parent)


def read_letters(kept: KeptLetters, channel: int, recogniser: Recogniser) -> Letters | None:
    """Open the letters of a channel.

    Args:
        kept: Where they are.
        channel: From 0.
        recogniser: The model that wrote them.

    Returns:
        The letters; None if there are none, or none any more.
    """
    folders: Sequence[str] = kept.folders[channel : channel + 1]
    try:
        return Letters.read(Path(folders[0]), len(recogniser.alphabet.symbols))
    except (OSError, ValueError, IndexError):
        return None
