"""Turning recordings of any length into words with times.

Begin in `transcription.py`. `audio` reads files block by block, with `formats` for odd ones,
`channels` mixes down to what carries speech, `chunks` cuts the sound on the model's frame grid,
`decoding` turns probabilities into text and says what is in doubt, `words` finds where each word
is, and `loudness` why there is none. `live` transcribes while somebody speaks, `several`
transcribes many files, `captions` and `score` make something of a transcript, `spectrogram` draws
the sound.
"""

from foundry.speech.transcription import (
    Recogniser,
    Transcript,
    load_recogniser,
    transcribe,
    transcribe_channels,
    transcribe_stream,
)

__all__ = [
    "Recogniser",
    "Transcript",
    "load_recogniser",
    "transcribe",
    "transcribe_channels",
    "transcribe_stream",
]
