"""Speech to text: a waveform through a CTC model to words with times, of any length."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from foundry.errors import InputError
from foundry.models import DENSE, Variant, load_pretrained
from foundry.models.hub import OnProgress
from foundry.models.loading import Pretrained
from foundry.models.runtime import on_compute_thread
from foundry.speech.audio import SAMPLE_RATE_HZ, AudioFile
from foundry.speech.chunks import Chunk, ChunkPlan, FrameGrid, cut_chunks, join_frames
from foundry.speech.decoding.beam import BIGRAM_FILE, BeamDecoder, load_beam_decoder
from foundry.speech.decoding.doubts import PLAIN, Doubts, load_doubts
from foundry.speech.decoding.paths import BeamFinder, GreedyFinder, PathFinder
from foundry.speech.loudness import REASONS, LoudnessMeter, NoWords, explain_no_words
from foundry.speech.words import Alphabet, FrameClock, Word, place_words, read_path

GREEDY, BEAM = "greedy", "beam"
DECODINGS = (GREEDY, BEAM)
# Below one step of 16 bits: nothing was recorded at all.
_DIGITAL_SILENCE = 2.0**-15
_IMPOSSIBLE = -100.0
# What the models' own feature extractors add before they divide.
_VARIANCE_FLOOR = 1e-7
_PLAN = ChunkPlan()


@dataclass(frozen=True)
class Recogniser:
    """A CTC model ready to be given sound.

    Attributes:
        name: As it was asked for.
        pretrained: The model and its processor.
        grid: How its frames lie over samples.
        alphabet: What its labels stand for.
        does_normalise: Whether it wants sound of zero mean and unit variance.
        beam: Searches words, if the model ships a list of them.
        doubts: When its words are in doubt, by decoding, if the model says.
    """

    name: str
    pretrained: Pretrained
    grid: FrameGrid
    alphabet: Alphabet
    does_normalise: bool
    beam: BeamDecoder | None
    doubts: Mapping[str, Doubts]

    @property
    def best_decoding(self) -> str:
        """The one that makes fewer mistakes: by the word list, where there is one."""
        return BEAM if self.beam else GREEDY

    @property
    def clock(self) -> FrameClock:
        """When its frames are."""
        return FrameClock(self.grid.stride / SAMPLE_RATE_HZ, self.grid.width / SAMPLE_RATE_HZ)


@dataclass(frozen=True)
class Transcript:
    """What was said.

    Attributes:
        words: In order of their beginnings; those of one channel do not overlap.
        duration_s: Of the recording.
        channels: One transcript for each, if they were transcribed one by one; else none.
        no_words: Why there are no words, if there are none.
    """

    words: tuple[Word, ...]
    duration_s: float
    channels: tuple["Transcript", ...] = ()
    no_words: NoWords | None = None

    @property
    def text(self) -> str:
        """The words with single spaces between them."""
        return " ".join(word.word for word in self.words)


@dataclass(frozen=True)
class TranscribeEvent:
    """What `transcribe_stream()` yields.

    Attributes:
        done_s: Seconds of the recording that were heard so far.
        duration_s: Of the recording, as far as its header tells.
        newest: What was heard last, in letters.
        log_probs: Of the frames that were heard last, float32 (frames, symbols).
        transcript: The result; only the last event has it.
        labels: The path through all frames, int16 (frames,); only the last event has it.
        channel: Which of the recording's, from 0.
    """

    done_s: float
    duration_s: float
    newest: str
    log_probs: np.ndarray | None = None
    transcript: Transcript | None = None
    labels: np.ndarray | None = None
    channel: int = 0


def load_recogniser(
    name: str, on_progress: OnProgress | None = None, variant: Variant = DENSE
) -> Recogniser:
    """Load a speech model through the one door.

    Args:
        name: A shipped model, a local folder or a Hub id.
        on_progress: Called while files are downloaded and while int8 is built.
        variant: Which form of it.

    Raises:
        InputError: If it is not a CTC model over raw sound at 16 kHz with a character tokenizer, or
            has no such variant.
        ArtifactError: If its files are damaged, missing, or cannot be downloaded.
    """
    pretrained = load_pretrained(name, "speech", on_progress, variant)
    config, processor = pretrained.model.config, pretrained.processor
    if not _spells_sound(pretrained):
        raise InputError(
            f"“{pretrained.name}” is not a model of the Wav2Vec2 or HuBERT kind that spells words "
            f"from sound at {SAMPLE_RATE_HZ / 1000:.0f} kHz."
        )
    tokenizer = processor.tokenizer
    symbols = tokenizer.convert_ids_to_tokens(list(range(config.vocab_size)))
    alphabet = Alphabet(
        tuple(symbol or "" for symbol in symbols),
        tokenizer.pad_token_id,
        tokenizer.word_delimiter_token,
        bool(tokenizer.do_lower_case),
    )
    return Recogniser(
        pretrained.name,
        pretrained,
        FrameGrid.of(config),
        alphabet,
        bool(processor.feature_extractor.do_normalize),
        load_beam_decoder(pretrained.folder, alphabet),
        load_doubts(pretrained.folder),
    )


def _spells_sound(pretrained: Pretrained) -> bool:
    """Tell whether a model takes raw sound, gives characters, and marks where words end."""
    from transformers import Wav2Vec2CTCTokenizer

    config = pretrained.model.config
    extractor = getattr(pretrained.processor, "feature_extractor", None)
    tokenizer = getattr(pretrained.processor, "tokenizer", None)
    return (
        pretrained.model.main_input_name == "input_values"
        and hasattr(config, "conv_stride")
        and getattr(extractor, "sampling_rate", None) == SAMPLE_RATE_HZ
        and isinstance(tokenizer, Wav2Vec2CTCTokenizer)
        # A delimiter that the tokenizer adds behind the model's own symbols is never heard.
        and tokenizer.get_vocab().get(tokenizer.word_delimiter_token, math.inf) < config.vocab_size
    )


@on_compute_thread
def compute_log_probs(recogniser: Recogniser, chunk: Chunk) -> np.ndarray:
    """Run the model over a chunk.

    Args:
        recogniser: The model.
        chunk: From `cut_chunks()`.

    Returns:
        Float32 (frames, symbols).
    """
    if np.abs(chunk.waveform).max() < _DIGITAL_SILENCE:
        num_frames = recogniser.grid.count_frames(len(chunk.waveform))
        shape = (num_frames, len(recogniser.alphabet.symbols))
        silence = np.full(shape, _IMPOSSIBLE, np.float32)
        silence[:, recogniser.alphabet.blank] = 0.0
        return silence
    waveform = chunk.waveform
    if recogniser.does_normalise:
        waveform = (waveform - chunk.mean) / np.sqrt(chunk.std**2 + _VARIANCE_FLOOR)
    inputs = torch.from_numpy(waveform.astype(np.float32))[None]
    return recogniser.pretrained.predict(inputs)[0].log_softmax(-1).numpy()


def find_words(recogniser: Recogniser, decoding: str) -> PathFinder:
    """Choose how frames become words.

    Args:
        recogniser: The model.
        decoding: One of `DECODINGS`.

    Raises:
        InputError: If there is no such decoding, or the model has no word list.
    """
    doubts = recogniser.doubts.get(decoding, PLAIN)
    if decoding == GREEDY:
        return GreedyFinder(recogniser.alphabet, doubts)
    if decoding != BEAM:
        raise InputError(
            f"There is no decoding “{decoding}”; choose one of {', '.join(DECODINGS)}."
        )
    if recogniser.beam is None:
        raise InputError(
            f"“{recogniser.name}” comes without a word list ({BIGRAM_FILE}), so only the decoding "
            f"{GREEDY} is possible."
        )
    return BeamFinder(recogniser.beam, recogniser.alphabet, doubts)


def transcribe_stream(
    recogniser: Recogniser, audio: AudioFile, decoding: str = GREEDY, plan: ChunkPlan = _PLAN
) -> Iterator[TranscribeEvent]:
    """Transcribe a recording of any length in bounded memory; closing the generator cancels it.

    Args:
        recogniser: The model.
        audio: From `open_audio()`.
        decoding: One of `DECODINGS`.
        plan: How long sound is cut.

    Yields:
        Progress after every chunk; the last event has the transcript.

    Raises:
        InputError: If the recording cannot be decoded or is too long, or there is no such decoding.
    """
    finder = find_words(recogniser, decoding)
    meter = LoudnessMeter(SAMPLE_RATE_HZ)
    num_frames, stride_s = 0, recogniser.clock.stride_s
    blocks = meter.follow(audio.read_blocks())
    chunks = cut_chunks(blocks, recogniser.grid, plan, SAMPLE_RATE_HZ)
    parts = ((chunk, compute_log_probs(recogniser, chunk)) for chunk in chunks)
    reach = round(plan.context_s / 2 / stride_s)
    for log_probs in join_frames(parts, recogniser.alphabet.blank, reach):
        finder.add(log_probs)
        num_frames += len(log_probs)
        newest = read_path(log_probs.argmax(1), np.exp(log_probs.max(1)), recogniser.alphabet)
        done_s = num_frames * stride_s
        text = " ".join(span.word for span in newest)
        yield TranscribeEvent(done_s, max(done_s, audio.duration_s), text, log_probs)
    words = place_words(finder.finish(), recogniser.clock, meter.loudness)
    no_words = None
    if not words:
        # Read once more, which is seldom: and what is too short for a frame is not measured.
        again = audio.read_blocks() if num_frames else iter(())
        no_words = explain_no_words(again, SAMPLE_RATE_HZ)
    transcript = Transcript(tuple(words), meter.duration_s, no_words=no_words)
    end_s = meter.duration_s
    yield TranscribeEvent(end_s, end_s, "", transcript=transcript, labels=finder.labels)


def transcribe_channels(
    recogniser: Recogniser, audio: AudioFile, decoding: str = GREEDY
) -> Iterator[TranscribeEvent]:
    """Transcribe one channel after another; see `transcribe_stream()`.

    Yields:
        Progress, in seconds of all channels together, at the end of each channel with its labels;
        the last event has the transcript.

    Raises:
        InputError: As `transcribe_stream()` does, and if there are too many channels.
    """
    channels = audio.split_channels()
    transcripts: list[Transcript] = []
    for number, channel in enumerate(channels):
        for event in transcribe_stream(recogniser, channel, decoding):
            if event.transcript:
                transcripts.append(event.transcript)
            done_s = number * event.duration_s + event.done_s
            whole_s = len(channels) * event.duration_s
            yield replace(event, done_s=done_s, duration_s=whole_s, transcript=None, channel=number)
    words = sorted((w for one in transcripts for w in one.words), key=lambda word: word.start_s)
    duration_s = transcripts[0].duration_s
    reasons = [one.no_words for one in transcripts if one.no_words and not words]
    no_words = max(reasons, key=lambda one: REASONS.index(one.reason), default=None)
    transcript = Transcript(tuple(words), duration_s, tuple(transcripts), no_words)
    yield TranscribeEvent(duration_s, duration_s, "", transcript=transcript)


def transcribe(
    recogniser: Recogniser, audio: AudioFile, decoding: str = GREEDY, by_channel: bool = False
) -> Transcript:
    """Transcribe a recording; see `transcribe_stream()` and `transcribe_channels()`."""
    stream = transcribe_channels if by_channel else transcribe_stream
    for event in stream(recogniser, audio, decoding):
        last = event
    assert last.transcript is not None
    return last.transcript
