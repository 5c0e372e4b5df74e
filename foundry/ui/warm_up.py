"""Loading, once somebody has opened the page, what each tab's first answer would wait for."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image, ImageDraw

from foundry.digits import read_drawing
from foundry.digits.activations import compute_activations
from foundry.models import load_model
from foundry.sentiment import score_text
from foundry.sentiment.attribution import explain_text
from foundry.speech import load_recogniser, transcribe
from foundry.speech.audio import open_audio
from foundry.speech.spectrogram import compute_spectrogram
from foundry.ui.components.model_choice import DEFAULT_MODEL
from foundry.ui.sentiment.choice import DEFAULT_MODEL as SENTIMENT_MODEL
from foundry.ui.sentiment.choice import load_sentiment_model
from foundry.ui.speech.model import SHIPPED as SPEECH_MODEL

_CLIP = Path(__file__).parent / "speech" / "clips" / "digits.flac"

_logger = logging.getLogger(__name__)


class WarmUp:
    """One answer of every tab, computed in the background after the first call.

    Not at the start of the server: what transformers brings along doubles its memory, and a server
    that nobody visits does not need it.
    """

    def __init__(self, device: str) -> None:
        """Plan the work.

        Args:
            device: Where digit models run.
        """
        self._steps: tuple[Callable[[], None], ...] = (
            partial(_warm_digits, device),
            _warm_sentiment,
            _warm_speech,
        )
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless it was begun before; returns at once."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="warm-up", daemon=True)
                self._thread.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; tells whether it has come."""
        if self._thread is None:
            return False
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        for step in self._steps:
            try:
                step()
            except Exception:  # A tab whose files are damaged must not keep the next one cold.
                _logger.warning("Could not be loaded ahead", exc_info=True)


def _warm_digits(device: str) -> None:
    model = load_model(DEFAULT_MODEL, device)
    page = Image.new("L", (280, 280), 255)
    ImageDraw.Draw(page).line([(140, 60), (140, 220)], fill=0, width=20)
    reading = read_drawing(model, page)
    if reading:
        compute_activations(model, reading.image)


def _warm_sentiment() -> None:
    pretrained, model = load_sentiment_model(SENTIMENT_MODEL)
    score_text(model, "good")
    explain_text(pretrained.model, pretrained.processor, "good")


def _warm_speech() -> None:
    recogniser = load_recogniser(SPEECH_MODEL)
    audio = open_audio(str(_CLIP))
    transcribe(recogniser, audio, recogniser.best_decoding)
    compute_spectrogram(next(audio.read_blocks()), 100)
