"""Several channels -> one: those that carry speech, none of them upside down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from foundry.speech.loudness import (
    LAGS_S,
    Evidence,
    cut_segments,
    measure_recording,
    measure_speech,
)

# What was heard before counts so much less with every segment of a few seconds.
_REMEMBERED = 0.9
# The choice changes over so many seconds, so that it does not click.
_FADE_S = 0.02
# A channel that is mostly below what is spoken is for effects, or hums.
_MOST_RUMBLE = 0.9
# Beside the channel that carries speech best: less energy (-40 dB) is nobody's voice, less of it
# coming and going is noise.
_LEAST_SPEECH, _LEAST_SHARE = 1e-4, 0.5
# In films and on camcorders speech is in the centre, and what else there is beside it; -30 dB.
_LEAST_CENTRE = 1e-3
# Channels that agree so well have the same voice, upside down if they disagree as much. A voice
# repeats itself within milliseconds, and upside down in between: a small lag is likelier.
_AKIN, _LAG_COST = 0.5, 20.0
# Two channels that agree so well are copies of one another; below -50 dB there is nothing to hear.
_SAME, _AUDIBLE = 0.9, 1e-5
# Nobody records people on more channels; there may be anything on them.
MAX_MIXED = 32
_CENTRE, _EFFECTS = "FC", ("LFE", "LFE2")
# The bits of a WAV file's channel mask, lowest first, by ffmpeg's names.
_MASK = ("FL", "FR", _CENTRE, _EFFECTS[0])
# Formats that have one order for every number of channels.
_ORDERS = {
    ("FLAC", 3): "FL+FR+FC",
    ("FLAC", 5): "FL+FR+FC+BL+BR",
    ("FLAC", 6): "FL+FR+FC+LFE+BL+BR",
    ("FLAC", 7): "FL+FR+FC+LFE+BC+SL+SR",
    ("FLAC", 8): "FL+FR+FC+LFE+BL+BR+SL+SR",
    ("OGG", 3): "FL+FC+FR",
    ("OGG", 5): "FL+FC+FR+BL+BR",
    ("OGG", 6): "FL+FC+FR+BL+BR+LFE",
    ("OGG", 7): "FL+FC+FR+SL+SR+BC+LFE",
    ("OGG", 8): "FL+FC+FR+SL+SR+BL+BR+LFE",
}


@dataclass(frozen=True)
class Layout:
    """Where the loudspeakers of channels are, as far as it matters.

    Attributes:
        centre: Which channel is in the middle, from 0; None if nothing says so.
        effects: Channels for low-frequency effects.
    """

    centre: int | None = None
    effects: tuple[int, ...] = ()

    @classmethod
    def of_names(cls, names: Sequence[str]) -> Layout:
        """Read the layout off the channels' names, such as FL, FR, FC and LFE."""
        centre = names.index(_CENTRE) if _CENTRE in names and len(names) > 2 else None
        return cls(centre, tuple(i for i, name in enumerate(names) if name in _EFFECTS))

    @classmethod
    def of_mask(cls, mask: int, num_channels: int) -> Layout:
        """Read the layout off a channel mask: every bit is a loudspeaker, in order.

        Source:
            Microsoft, WAVEFORMATEXTENSIBLE, dwChannelMask.
        """
        bits = [bit for bit in range(32) if mask >> bit & 1][:num_channels]
        return cls.of_names([_MASK[bit] if bit < len(_MASK) else "" for bit in bits])

    @classmethod
    def of_format(cls, file_format: str, num_channels: int) -> Layout:
        """Return the layout that a format prescribes.

        Args:
            file_format: As libsndfile calls it.
            num_channels: Of the file.

        Source:
            RFC 9639, section 9.1.3; Vorbis I specification, section 4.3.9; RFC 7845, section 5.1.1.
        """
        return cls.of_names(_ORDERS.get((file_format, num_channels), "").split("+"))


def mix_channels(
    blocks: Iterable[np.ndarray], rate_hz: int, layout: Layout
) -> Iterator[np.ndarray]:
    """Mix down to what carries speech, in memory that does not grow with the recording.

    Every few seconds the channels are judged by what was heard so far. Where all of them are alike
    the mix is their mean, to the bit.

    Args:
        blocks: Float32 (samples, channels), finite; how they are cut makes no difference. At most
            `MAX_MIXED` channels.
        rate_hz: Of the blocks.
        layout: Of the channels.

    Yields:
        Float32 (samples,) for every block or part of one.
    """
    evidence: Evidence | None = None
    before: np.ndarray | None = None
    fade = round(_FADE_S * rate_hz)
    for segment in cut_segments(blocks, rate_hz):
        measured = measure_speech(np.concatenate(segment), rate_hz)
        evidence = evidence.add(measured, _REMEMBERED) if evidence else measured
        weights = choose_weights(evidence, layout)
        position = 0
        for piece in segment:
            mixed = _weigh(piece, weights)
            fading = min(len(piece), fade - position)
            if fading > 0 and before is not None and not np.array_equal(before, weights):
                share = np.arange(position, position + fading, dtype=np.float32) / fade
                start = _weigh(piece[:fading], before)
                mixed[:fading] = (1 - share) * start + share * mixed[:fading]
            position += len(piece)
            yield mixed
        before = weights


def choose_weights(evidence: Evidence, layout: Layout) -> np.ndarray:
    """Choose how much of every channel is heard.

    Args:
        evidence: Of all channels.
        layout: Of the channels.

    Returns:
        Float32 (channels,), negative for a channel that is upside down.
    """
    is_voice = _is_voice(evidence, layout)
    # Energy, less where the channel is steady: loud noise has a little of everything.
    merit = np.where(is_voice, evidence.rising**2 / np.maximum(evidence.band, 1e-30), 0)
    best = int(merit.argmax())
    if not merit[best]:
        return _share_out(is_voice, np.ones(len(is_voice)))
    share = evidence.rising / np.maximum(evidence.band, 1e-30)
    agreement = _correlate(evidence)[best]
    speech = is_voice & (evidence.rising >= _LEAST_SPEECH * evidence.rising[best])
    speech &= (share >= _LEAST_SHARE * share[best]) | (np.abs(agreement) > _AKIN)
    centre = layout.centre
    if (
        centre is not None
        and speech[centre]
        and evidence.rising[centre] >= _LEAST_CENTRE * evidence.rising[best]
    ):
        return _share_out(np.arange(len(speech)) == centre, np.ones(len(speech)))
    return _share_out(speech, np.where(agreement < -_AKIN, -1, 1))


def do_differ(blocks: Iterable[np.ndarray], rate_hz: int, layout: Layout) -> bool:
    """Tell whether there are channels with different things to hear.

    Args:
        blocks: Float32 (samples, channels), finite.
        rate_hz: Of the blocks.
        layout: Of the channels.
    """
    evidence = measure_recording(blocks, rate_hz)
    if evidence is None:
        return False
    heard = _is_voice(evidence, layout) & (evidence.band > _AUDIBLE * evidence.band.max())
    return bool((_correlate(evidence)[np.ix_(heard, heard)] ** 2 < _SAME).any())


def _is_voice(evidence: Evidence, layout: Layout) -> np.ndarray:
    """Return which channels are not for effects; all of them if there is no other."""
    is_known = ~np.isin(np.arange(len(evidence.band)), layout.effects)
    is_voice = is_known & (evidence.rumble <= _MOST_RUMBLE * evidence.energy)
    return next((one for one in (is_voice, is_known) if one.any()), np.ones_like(is_voice))


def _correlate(evidence: Evidence) -> np.ndarray:
    """Return how well two channels agree, in [-1, 1]: at the lag where they do, or do not, most."""
    products = evidence.products * (1 - _LAG_COST * np.abs(LAGS_S))[:, None, None]
    energy = np.maximum(products.max(0).diagonal(), 1e-30)
    strongest = np.abs(products).argmax(0)[None]
    return np.take_along_axis(products, strongest, 0)[0] / np.sqrt(np.outer(energy, energy))


def _share_out(chosen: np.ndarray, signs: np.ndarray) -> np.ndarray:
    return (chosen * signs / chosen.sum()).astype(np.float32)


def _weigh(block: np.ndarray, weights: np.ndarray) -> np.ndarray:
    if (weights == weights[0]).all():
        return block.mean(axis=1)
    mixed = np.zeros(len(block), np.float32)
    # One after another, because a matrix product adds in an order that depends on the length.
    for channel in np.flatnonzero(weights):
        mixed += weights[channel] * block[:, channel]
    return mixed
