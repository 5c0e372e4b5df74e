"""The recogniser: a Wav2Vec2 of unusual proportions, with a filterbank for its first layer."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    Wav2Vec2Processor,
)

from foundry.recipes.speech.data.corpus import SAMPLE_RATE_HZ
from foundry.speech.words import Alphabet

PAD, UNKNOWN, DELIMITER = "<pad>", "<unk>", "|"
CHARACTERS = (PAD, UNKNOWN, DELIMITER, "'", *"abcdefghijklmnopqrstuvwxyz")
ALPHABET = Alphabet(CHARACTERS, CHARACTERS.index(PAD), DELIMITER)
PHASES = 4
# Channels of the first layer that hold a constant, and how large it is. See ``build_model``.
NUM_CONSTANTS = 8
CONSTANT = 0.8
HIGHEST_HZ = 7_900.0
# Points at which a voice's frequencies are moved, and how far: vocal tracts differ in length by
# about a fifth, and not by the same share in throat and mouth.
WARP_POINTS = 6
WARP_LENGTH = 0.06
WARP_SHAPE = 0.05


def build_config(hidden_dim: int = 256, num_layers: int = 6) -> Wav2Vec2Config:
    """Describe the architecture.

    The stock front end spends most of the arithmetic of a small model in seven convolutions. Here
    three do: the first sees 25 ms every 5 ms, like a short-time Fourier transform, the other two
    halve the rate, to the stock 50 frames a second.

    Args:
        hidden_dim: width of the transformer, a multiple of 64.
        num_layers: transformer layers.

    Returns:
        A configuration that ``Wav2Vec2ForCTC`` accepts.
    """
    return Wav2Vec2Config(
        vocab_size=len(CHARACTERS),
        hidden_size=hidden_dim,
        num_hidden_layers=num_layers,
        num_attention_heads=max(1, hidden_dim // 64),
        intermediate_size=4 * hidden_dim,
        conv_dim=(hidden_dim, hidden_dim, hidden_dim),
        conv_kernel=(400, 4, 3),
        conv_stride=(80, 2, 2),
        conv_bias=True,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        num_conv_pos_embeddings=32,
        num_conv_pos_embedding_groups=max(1, hidden_dim // 16),
        hidden_act="relu",
        feat_extract_activation="relu",
        hidden_dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        feat_proj_dropout=0.0,
        final_dropout=0.0,
        layerdrop=0.0,
        mask_time_prob=0.12,
        mask_time_length=5,
        mask_time_min_masks=0,
        mask_feature_prob=0.08,
        mask_feature_length=hidden_dim // 8,
        mask_feature_min_masks=0,
        ctc_loss_reduction="mean",
        ctc_zero_infinity=True,
        pad_token_id=CHARACTERS.index(PAD),
        bos_token_id=None,
        eos_token_id=None,
    )


def build_filterbank(
    num_filters: int, kernel_size: int, warp: Sequence[float] = (1.0,)
) -> torch.Tensor:
    """Build windowed sinusoids at mel-spaced frequencies, four phases of each.

    The layer's activation rectifies each phase; the mean over the phases is then close to the
    magnitude in that band, whatever the phase of the signal.

    Args:
        num_filters: a multiple of 4.
        kernel_size: samples at 16 kHz.
        warp: what frequencies are multiplied by, at points equally spaced in mel from the lowest
            band to the highest, > 0. A voice heard through such a bank is another voice.

    Returns:
        float32 tensor [num_filters, 1, kernel_size]; the four phases of a band are neighbours.

    Raises:
        ValueError: if ``num_filters`` is not a multiple of 4.

    Source:
        mel scale as in O'Shaughnessy, Speech Communication (1987), 2595 log10(1 + f / 700).
    """
    if num_filters % PHASES:
        raise ValueError(f"num_filters must be a multiple of {PHASES}, not {num_filters}")
    lowest, highest = (2595 * np.log10(1 + f / 700) for f in (80.0, 7600.0))
    mels = np.linspace(lowest, highest, num_filters // PHASES)
    mel_centres_hz = 700 * (10 ** (mels / 2595) - 1)
    factors = np.interp(mels, np.linspace(lowest, highest, len(warp)), warp)
    centres_hz = np.minimum(mel_centres_hz * factors, HIGHEST_HZ)
    spacing_hz = np.gradient(mel_centres_hz) * factors
    time_s = (np.arange(kernel_size) - (kernel_size - 1) / 2) / SAMPLE_RATE_HZ
    filters = []
    bands = zip(centres_hz, spacing_hz, mel_centres_hz, strict=True)
    for centre_hz, width_hz, mel_centre_hz in bands:
        # A band twice as wide as the spacing overlaps its neighbours; the kernel bounds it below.
        sigma_s = min(1 / (2 * np.pi * width_hz), kernel_size / SAMPLE_RATE_HZ / 5)
        envelope = np.exp(-0.5 * (time_s / sigma_s) ** 2)
        for phase in range(PHASES):
            wave = envelope * np.cos(2 * np.pi * centre_hz * time_s + phase * np.pi / 2)
            wave -= wave.mean()
            # Speech falls by about 6 dB an octave: the gain rises as much.
            filters.append(wave / np.linalg.norm(wave) * np.sqrt(mel_centre_hz / 1000))
    return torch.tensor(np.stack(filters)[:, None], dtype=torch.float32)


def build_model(config: Wav2Vec2Config, seed: int) -> Wav2Vec2ForCTC:
    """Build an untrained model with the filterbank in its first layer.

    The layer norm that follows divides each frame by its loudness, so that a pause would sound
    like a vowel. A few channels of the first layer therefore hold a constant instead of a band:
    it outweighs quiet frames, which stay quiet, and is outweighed in loud ones.

    Args:
        config: from ``build_config``.
        seed: decides the random weights.

    Returns:
        The model, in training mode, float32.
    """
    torch.manual_seed(seed)
    model = Wav2Vec2ForCTC(config)
    # Plain matrix products: on a CPU, at these lengths, faster forward and backward than sdpa.
    model.set_attn_implementation("eager")
    layers = model.wav2vec2.feature_extractor.conv_layers
    first = layers[0].conv
    num_filters = first.out_channels - NUM_CONSTANTS
    with torch.no_grad():
        for layer in layers:
            layer.conv.bias.zero_()
        first.weight.zero_()
        first.weight[:num_filters] = build_filterbank(num_filters, first.kernel_size[0])
        first.bias[num_filters::2] = CONSTANT
        first.bias[num_filters + 1 :: 2] = -CONSTANT
    return model.train()


@contextmanager
def another_vocal_tract(model: Wav2Vec2ForCTC, rng: np.random.Generator) -> Iterator[None]:
    """Let the model hear everything as if from a mouth of another length and shape.

    Args:
        model: its first layer is another bank inside the context, and itself again after it.
        rng: decides the mouth.

    Source:
        Jaitly and Hinton 2013, Vocal Tract Length Perturbation improves speech recognition.
    """
    weight = model.wav2vec2.feature_extractor.conv_layers[0].conv.weight
    kept = weight.detach().clone()
    length = np.clip(rng.normal(0, WARP_LENGTH), -2 * WARP_LENGTH, 2 * WARP_LENGTH)
    warp = np.exp(length + rng.normal(0, WARP_SHAPE, WARP_POINTS))
    num_filters = weight.shape[0] - NUM_CONSTANTS
    with torch.no_grad():
        weight[:num_filters] = build_filterbank(num_filters, weight.shape[-1], list(warp))
    try:
        yield
    finally:
        with torch.no_grad():
            weight.copy_(kept)


def build_processor(folder: Path) -> Wav2Vec2Processor:
    """Build the processor that belongs to the character vocabulary.

    Args:
        folder: where ``vocab.json``, which the tokenizer reads, is written.

    Returns:
        Zero-mean, unit-variance features with an attention mask; characters with "|" between words.
    """
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({c: i for i, c in enumerate(CHARACTERS)}), "utf-8")
    tokenizer = Wav2Vec2CTCTokenizer(
        str(vocabulary),
        bos_token=None,
        eos_token=None,
        pad_token=PAD,
        unk_token=UNKNOWN,
        word_delimiter_token=DELIMITER,
    )
    extractor = Wav2Vec2FeatureExtractor(
        feature_size=1,
        sampling_rate=SAMPLE_RATE_HZ,
        padding_value=0.0,
        do_normalize=True,
        return_attention_mask=True,
    )
    return Wav2Vec2Processor(feature_extractor=extractor, tokenizer=tokenizer)


def save_model(model: Wav2Vec2ForCTC, folder: Path) -> None:
    """Write what ``from_pretrained`` reads: configuration, float16 weights, processor.

    Args:
        model: float32; left as it is.
        folder: created if missing.
    """
    processor = build_processor(folder)
    halves = {name: tensor.half() for name, tensor in model.state_dict().items()}
    # The configuration goes on to say float32, so that a plain load computes in that: float16 is
    # for the file only, a CPU is slow with it.
    model.save_pretrained(folder, state_dict=halves)
    processor.save_pretrained(folder)


def count_frames(model: Wav2Vec2ForCTC, num_samples: torch.Tensor) -> torch.Tensor:
    """Tell how many frames the model makes of so many samples.

    Args:
        model: decides kernels and strides.
        num_samples: int64 [batch].

    Returns:
        int64 [batch].
    """
    frames = num_samples
    for kernel, stride in zip(model.config.conv_kernel, model.config.conv_stride, strict=True):
        frames = (frames - kernel) // stride + 1
    return frames


def encode_text(text: str) -> list[int]:
    """Turn a transcript into CTC labels.

    Args:
        text: lower-case letters, apostrophes, single spaces.

    Returns:
        One id a character.

    Raises:
        ValueError: if a character is not in the vocabulary.
    """
    return [CHARACTERS.index(DELIMITER if c == " " else c) for c in text]
