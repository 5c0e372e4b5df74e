"""Voices made from recordings of people, and English as speakers of other languages say it.

RHVoice has voices of many languages. Each of them reads the English words below in its own
spelling, with its own sounds: a foreign accent. Only voices that may be used for any purpose are
here: GPL, LGPL, CC BY, CC BY-SA, public domain.
"""

from collections.abc import Sequence

import numpy as np

from foundry.recipes.speech.data.corpus import DIGITS
from foundry.recipes.speech.data.synthesis import SynthesisJob

COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
ENGLISH_VOICES = (
    ("rhvoice", "alan"),
    ("rhvoice", "bdl"),
    ("rhvoice", "clb"),
    ("rhvoice", "evgeniy-eng"),
    ("rhvoice", "slt"),
    ("pico", "en-GB"),
    ("pico", "en-US"),
    ("festival", "voice_ked_diphone"),
)
# Digits, then commands; where English has a sound that the language lacks, what people put there.
SPELLINGS = {
    "Albanian": "ziro uan tu thri for fajv siks seven ejt najn "
    "jes nou ap daun left rajt on of stop gou",
    "Czech": "zirou uan tu sri/tri fór fajv siks seven ejt najn "
    "jes nou ap daun left rajt on of stop gou",
    "Esperanto": "ziroŭ ŭan tu sri/tri for fajv siks seven ejt najn "
    "jes noŭ ap daŭn left rajt on of stop goŭ",
    "Kyrgyz": "зироу уан ту сри/три фор файв сикс севен эйт найн "
    "йес ноу ап даун лефт райт он оф стоп гоу",
    "Macedonian": "зироу уан ту сри/три фор фајв сикс севен ејт најн "
    "јес ноу ап даун лефт рајт он оф стоп гоу",
    "Polish": "zirou łan tu sri/tri/fri for fajw syks sewen ejt najn "
    "jes noł ap dałn left rajt on of stop goł",
    "Portuguese": "zírou uan tu tri/sri fór faiv siks séven eit nain "
    "iés nou ap daun left rait on of stop gou",
    "Russian": "зироу уан ту срии/трии/фрии фор файв сикс сэвэн эйт найн "
    "йес ноу ап даун лефт райт он оф стоп гоу",
    "Slovak": "zirou uan tu sri/tri fór fajv siks seven ejt najn "
    "jes nou ap daun left rajt on of stop gou",
    "Ukrainian": "зіроу уан ту срі/трі/фрі фор файв сікс севен ейт найн "
    "єс ноу ап даун лефт райт он оф стоп ґоу",
}
ACCENTED_VOICES = {
    "aleksandr": "Russian",
    "aleksandr-hq": "Russian",
    "alicja": "Polish",
    "anatol": "Ukrainian",
    "anna": "Russian",
    "azamat": "Kyrgyz",
    "elena": "Russian",
    "evgeniy-rus": "Russian",
    "hana": "Albanian",
    "irina": "Russian",
    "kiko": "Macedonian",
    "leticia-f123": "Portuguese",
    "magda": "Polish",
    "michal": "Polish",
    "natalia": "Ukrainian",
    "natan": "Polish",
    "nazgul": "Kyrgyz",
    "ondro": "Slovak",
    "spomenka": "Esperanto",
    "zdenek": "Czech",
}
# Nobody of these is heard in training.
HELD_OUT_VOICES = {
    ("pico", "de-DE"): "sierou uan tu ssri for faif ssiks ssewen ejt nein",
    ("pico", "es-ES"): "sirou guan tu zri for faif sics seven eit nain",
    ("pico", "fr-FR"): "zirô ouane tou sri fôr faïve sixe sévène éïte naïne",
    ("pico", "it-IT"): "ziro uan tu tri for faiv sics seven eit nain",
    ("festival", "voice_lp_diphone"): "ziro uan tu tri for faiv sics seven eit nain",
    ("festival", "voice_pc_diphone"): "ziro uan tu tri for faiv sics seven eit nain",
    ("festival", "voice_hy_fi_mv_diphone"): "siro uan tu tri foor faiv siks seven eit nain",
    ("festival", "voice_suo_fi_lj_diphone"): "siro uan tu tri foor faiv siks seven eit nain",
}


def plan_voices(words: Sequence[str], seed: int) -> list[SynthesisJob]:
    """Plan isolated words and strings of digits by every voice.

    Args:
        words: vocabulary of the English voices; the others say digits and ``COMMANDS``.
        seed: decides rates, pitches, spellings and the order of the digits.

    Returns:
        Of each English voice 6 jobs a digit, 2 a word and 30 strings of 2 to 6 digits; of each
        other 3 a digit, 1 a command and 15 strings.
    """
    rng = np.random.default_rng(seed)
    jobs = []
    for engine, voice in ENGLISH_VOICES:
        texts = [word for word in words for _ in range(6 if word in DIGITS else 2)]
        texts += _draw_strings(30, rng)
        jobs += [_vary(engine, voice, text, text, rng) for text in texts]
    for voice, language in ACCENTED_VOICES.items():
        spelled = [one.split("/") for one in SPELLINGS[language].split()]
        spellings = dict(zip((*DIGITS, *COMMANDS), spelled, strict=True))
        texts = [word for word in spellings for _ in range(3 if word in DIGITS else 1)]
        texts += _draw_strings(15, rng)
        for text in texts:
            said = " ".join(str(rng.choice(spellings[word])) for word in text.split())
            jobs.append(_vary("rhvoice", voice, text, said, rng))
    return jobs


def plan_held_out_voices(seed: int) -> list[SynthesisJob]:
    """Plan digits by voices that training does not hear.

    Args:
        seed: decides rates and the strings.

    Returns:
        Of each voice 3 jobs a digit and 15 strings of 2 to 6.
    """
    rng = np.random.default_rng(seed)
    jobs = []
    for (engine, voice), spelled in HELD_OUT_VOICES.items():
        spellings = dict(zip(DIGITS, spelled.split(), strict=True))
        for text in [*DIGITS * 3, *_draw_strings(15, rng)]:
            said = " ".join(spellings[word] for word in text.split())
            jobs.append(_vary(engine, voice, text, said, rng))
    return jobs


def _draw_strings(count: int, rng: np.random.Generator) -> list[str]:
    return [" ".join(rng.choice(DIGITS, size=int(rng.integers(2, 7)))) for _ in range(count)]


def _vary(engine: str, voice: str, text: str, said: str, rng: np.random.Generator) -> SynthesisJob:
    tempo, pitch = float(rng.uniform(0.8, 1.25)), float(rng.uniform(0.85, 1.2))
    return SynthesisJob(engine, voice, text, tempo, pitch, "voices", said)
