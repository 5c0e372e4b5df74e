"""The model card: what was trained on what, and how well it does."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from foundry.recipes.speech.data.corpus import Clip
from foundry.recipes.speech.model import WARP_LENGTH, WARP_SHAPE

LICENCES = {
    "fsdd": "Free Spoken Digit Dataset, CC BY-SA 4.0",
    "speech_commands": "Speech Commands v0.02 (Warden 2018), CC BY 4.0",
    "wuw": "WUW-II telephone speech, CC BY-SA 4.0",
    "grid_s1": "GRID (Cooke et al. 2006), CC BY 4.0",
    "dctts": "an amateur reading of LJSpeech prompts, Apache-2.0",
    "heidelberg_digits": "Heidelberg Digits (Cramer et al. 2020), CC BY 4.0",
    "speechocean762": "speechocean762 (Zhang et al. 2021), CC BY 4.0",
    "keywords": "Picovoice's wake-word benchmark, Apache-2.0; Mycroft's Precise community data, "
    "public domain",
    "synthetic": "espeak-ng, flite and festival, made by this recipe",
    "voices": "RHVoice (voices under GPL, LGPL, CC BY 4.0, CC BY-SA 4.0 or in the public domain), "
    "Pico (Apache-2.0) and festival, made by this recipe",
}
SETS = {
    "digit_strings": "strings of 1 to 8 digits, FSDD speaker {fsdd}",
    "studio_strings": "the same in a studio, two speakers of Heidelberg Digits",
    "spoken_strings": "strings of digits said as a whole by native speakers of Mandarin, "
    "speechocean762",
    "accents": "digits and strings of them in foreign accents, 8 kHz, synthetic voices not in "
    "training",
    "words": "isolated words, Speech Commands",
    "wuw": "free telephone sentences and keywords, WUW-II",
    "read": "sentences read by native speakers of Mandarin, many of them children, speechocean762",
    "keywords": "wake words such as `athena`",
    "dctts": "free read sentences; the speaker is in the training set, the sentences are not",
    "grid_s1": "fixed grammar; the speaker is in the training set, the sentences are not",
    "wordless": "noise, hum, clicks, chords, silence: the transcript should be empty",
}

# Proxy: 128 wide, 3 layers, batches of 16 s of single words, 800 steps, one seed; loss a character,
# mean of the last 100 steps.
TRIED = (
    ("stock activations (GELU), dropout 0.1, sdpa attention", "53 s of audio a second, one core"),
    ("no dropout, ReLU, plain matrix products for attention", "84 s of audio a second"),
    ("... and a fixed first convolution", "110 s of audio a second; 80 with Muon's update"),
    ("filterbank alone (proxy)", "loss 2.51 a character after 800 steps"),
    ("... and constant channels of 0.3, 1, 3 times the size here (proxy)", "1.95, 1.81, 1.83"),
    ("... and the square root of softplus for ReLU (proxy)", "2.86"),
    ("... and twice the learning rate for AdamW (proxy)", "2.13"),
    ("... and both, Muon for the encoder's matrices (proxy)", "1.40, an eighth more time a step"),
    (
        "21,000 steps at a constant rate, 48 synthetic clips a digit",
        "words 84.8% exact greedy, 88.2% by a beam over training transcripts; digit strings 22% "
        "and 15% WER",
    ),
    (
        "... and the synthetic strings of digits counted in the bigram",
        "words 88.9% by the beam, digit strings 12% WER",
    ),
    (
        "... and the bigram of nothing but commands and strings of digits",
        "words 88.7%, digit strings 11% WER; free English lost",
    ),
    (
        "from these weights: 25 minutes more, the learning rate falling to zero",
        "words 83.2% greedy, 89.4% by the beam; digit strings 20% and 11.2% WER",
    ),
    (
        "... 2,600 steps more with dropout 0.1, layer drop 0.05, a third more masks and 800 "
        "synthetic clips a digit, the learning rate falling over the last 900",
        "words 82.9% and 88.7%; digit strings 18.0% and 11.4% WER (15.0% greedy after the first "
        "800 steps)",
    ),
    (
        "after 22,773 steps, before voices and vocal tracts",
        "words 84.4% and 89.6%; digit strings 18.2% and 9.8% WER; foreign accents 49.6% and 29.4%",
    ),
    (
        "... 1,170 steps more with vocal tracts moved by 9% in all, at the constant rate",
        "words 85.3%, digit strings 19.4% WER, greedy",
    ),
    (
        "... with the voices, larger differences of microphones, 310 steps more",
        "words 85.5% and 88.9%; digit strings 18.8% and 10.8% WER",
    ),
    (
        "... 900 steps more, tracts moved by 6%, the learning rate falling",
        "words 85.0% and 89.6%; digit strings 18.6% and 10.6% WER",
    ),
    (
        "... with a third of the words cut off at both ends, as a recorder's gate does, the rate "
        "falling to zero over 1,900 steps",
        "the model before this one: half as many errors in accents, no fewer with the held-out "
        "speaker of digits, half of whose errors are `three` heard as `eight` and `four` as `five`",
    ),
    (
        "... 640 steps more as the pupil of itself, as the pruned model is of it",
        "words 84.4% and 90.1%; digit strings 17.4% and 10.2% WER; accents no better",
    ),
    (
        "from the model before: three corpora more, strings said as a whole, 3,000 single words of "
        "no vocabulary, twice as many read sentences; of the wake words only the smaller source "
        "over the first 1,500 steps, then only the larger one; the rate falling to zero over the "
        "last 2,500",
        "the model here. The one before, by the beam: words 90.3% exact, digit strings 10.2% WER, "
        "strings said as a whole 30.0% exact and 39.3% WER, in a studio 91.6% and 2.0%, read "
        "sentences 94.8% WER",
    ),
)

LINE_WIDTH = 100
# What the weights had heard that a training began from.
EARLIER = (
    "4.7 processor hours (27,127 steps) on all but heidelberg_digits, speechocean762, keywords and "
    "other words"
)
# What is not clean about that.
HEARD = """
The wake words of the table were heard over the first 1,500 of the last steps, the others after
that: their row is not of words never heard."""

INTRODUCTION = (
    "A `Wav2Vec2ForCTC` with {parameters:.1f} M parameters, trained {history} by "
    "`python -m foundry.recipes.speech --data DIR --out DIR`. It knows spoken digits and the 35 "
    "words of Speech Commands. Of free English it knows what a few hours of it teach: see the word "
    "error rates below, and do not rely on it."
)

TEMPLATE = """---
license: cc-by-sa-4.0
language: en
library_name: transformers
pipeline_tag: automatic-speech-recognition
---
# wav2vec2-commands

{introduction}

## Measured on held-out speech
Nobody is heard in training but the two speakers of whom the table says so; 15% of the speakers of
each corpus (25% of speechocean762; the smaller of two sources of keywords; at least one) were held
out in the order of a hash of their names. "Exact" is the share of utterances without any error, ±
its standard error. Beam search uses the words and a bigram of the training transcripts, prompts and
spoken strings of digits, less rare words (`bigram.json`; weight {lm_weight}, {word_score} a word).
Whatever was chosen by measuring was chosen on these same sets.{heard}

| set | utterances | greedy WER | greedy exact | beam WER | beam exact |
|---|---|---|---|---|---|
{figures}

## Data
| corpus | training clips | hours | speakers | licence |
|---|---|---|---|---|
{corpora}

Opus at 32 kbit/s, resampled to 16 kHz. Of RHVoice's voices, Leticia-F123 (Olga Yakovleva, Fernando
H. F. Botelho) and aleksandr-hq (Artem Plaksin, Sergey Parshakov, Beka Gozalishvili, Aleksander
Karlov) are under CC BY-SA 4.0, alicja (Magdalena Marciniszyn, Arkadiusz Świętnicki, Tomasz Bilecki,
Zvonimir Stanecic) and magda (Magda Roczeń, Roman Roczeń, Grzegorz Złotowicz) under CC BY 4.0.

## Method
- **Front end.** The stock one takes most of a small model's time in seven convolutions. This one
  has three: a fixed bank of windowed sinusoids at mel-spaced frequencies, in four phases, 25 ms
  every 5 ms; then two learned ones down to 50 frames a second. The activation is a rectifier, so
  that the sum over the phases is a magnitude. Layer norm over the channels would make a pause as
  loud as a vowel: a few channels that hold a constant keep quiet frames quiet.
- **Encoder.** {layers} pre-norm layers, {hidden} wide.
- **Curriculum.** Single words, then strings of up to 4 words, then everything, and at last more
  strings and every batch from another vocal tract: the frequencies of the filterbank are moved,
  all of them by about {warp_length:.0%} and each part of them by about {warp_shape:.0%}.
- **Accents.** RHVoice's voices of ten languages read English digits and commands in their own
  spelling. Strings of digits and sentences by people whose first language is Mandarin are in the
  last part.
- **Words of no vocabulary.** Single words of other English, by synthesisers and as wake words:
  without them whatever is alone is taken for a command.
- **Augmentation.** Speed with pitch, pauses, concatenation by one speaker or several, a random
  microphone, telephone bands, band gaps, rooms, noise, hum, chords, murmur, clipping; masks
  over time and features. Noise alone has an empty transcript.
- **Optimisation.** Muon for the encoder's matrices, AdamW for the rest, bfloat16 autocast, small
  batches first; the weights here are an exponential moving average, as float16.

## What was tried
{tried}

## Limits
English only. Words outside the training transcripts come out as letters that sound alike. There
are few speakers of digits, most of them men; children are heard in read sentences only, and far
microphones are untested. Scores are not calibrated. `doubts.json` says which words are likely to be
others; how well it does is in `foundry/recipes/README.md`.
"""


@dataclass(frozen=True)
class CardFacts:
    """What the card reports.

    Attributes:
        steps: optimizer updates.
        hours: of processor time.
        is_continued: whether it began from the weights that ``EARLIER`` describes.
        num_parameters: of the model.
        num_layers: of the encoder.
        hidden_dim: of the encoder.
        lm_weight: of the beam search.
        word_score: of the beam search.
        greedy: figures by set.
        beam: figures by set.
        train: clips trained on.
        held_out_digit_speakers: names of FSDD speakers.
        tried: (what, what came of it).
    """

    steps: int
    hours: float
    is_continued: bool
    num_parameters: int
    num_layers: int
    hidden_dim: int
    lm_weight: float
    word_score: float
    greedy: dict[str, dict[str, float]]
    beam: dict[str, dict[str, float]]
    train: Sequence[Clip]
    held_out_digit_speakers: Sequence[str]
    tried: Sequence[tuple[str, str]]


def _render_share(figures: dict[str, float], key: str) -> str:
    if key not in figures:
        return "-"
    share = figures[key]
    if key == "wer":
        return f"{share:.1%}"
    error = math.sqrt(share * (1 - share) / figures["utterances"])
    return f"{share:.1%} ± {error:.1%}"


def render_card(facts: CardFacts) -> str:
    """Write the README of the model's folder.

    Args:
        facts: measured.

    Returns:
        Markdown with the front matter that the Hub reads.
    """
    figures = []
    for name, description in SETS.items():
        if name in facts.greedy:
            greedy, beam = facts.greedy[name], facts.beam[name]
            cells = [
                description.format(fsdd=", ".join(facts.held_out_digit_speakers)),
                f"{greedy['utterances']:.0f}",
                *(_render_share(row, key) for row in (greedy, beam) for key in ("wer", "exact")),
            ]
            figures.append("| " + " | ".join(cells) + " |")
    corpora = []
    for name, licence in LICENCES.items():
        clips = [clip for clip in facts.train if clip.corpus == name]
        if clips:
            hours = sum(clip.duration_s for clip in clips) / 3600
            speakers = len({clip.speaker for clip in clips})
            corpora.append(f"| {name} | {len(clips):,} | {hours:.2f} | {speakers} | {licence} |")
    tried = ["| what | outcome |", "|---|---|", *(f"| {a} | {b} |" for a, b in facts.tried)]
    now = f"in {facts.hours:.1f} processor hours ({facts.steps:,} steps) on everything below"
    before = f"from scratch in {EARLIER}, then "
    introduction = INTRODUCTION.format(
        parameters=facts.num_parameters / 1e6,
        history=(before if facts.is_continued else "from scratch ") + now,
    )
    return TEMPLATE.format(
        heard=HEARD if facts.is_continued else "",
        introduction=textwrap.fill(introduction, LINE_WIDTH, break_on_hyphens=False),
        lm_weight=facts.lm_weight,
        word_score=facts.word_score,
        figures="\n".join(figures),
        corpora="\n".join(corpora),
        layers=facts.num_layers,
        hidden=facts.hidden_dim,
        warp_length=WARP_LENGTH,
        warp_shape=WARP_SHAPE,
        tried="\n".join(tried),
    )
