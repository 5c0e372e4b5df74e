"""Synthetic speech from text with Debian's espeak-ng, flite and festival."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from foundry.recipes.speech.data.corpus import DIGITS, resample

ESPEAK_ACCENTS = [
    "en-us",
    "en-gb",
    "en-gb-scotland",
    "en-gb-x-rp",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-029",
    "en-us-nyc",
]
ESPEAK_TIMBRES = [
    "m1",
    "m2",
    "m3",
    "m4",
    "m5",
    "m6",
    "m7",
    "m8",
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "Alex",
    "Alicia",
    "Andrea",
    "Andy",
    "Annie",
    "Denis",
    "Diogo",
    "Gene",
    "Hugo",
    "Jacky",
    "Lee",
    "Marco",
    "Mario",
    "Michael",
    "Mike",
    "adam",
    "anika",
    "antonio",
    "aunty",
    "belinda",
    "benjamin",
    "boris",
    "caleb",
    "david",
    "ed",
    "edward",
    "grandma",
    "grandpa",
    "john",
    "linda",
    "marcelo",
    "max",
    "michel",
    "miguel",
    "norbert",
    "paul",
    "pedro",
    "quincy",
    "robert",
    "sandro",
    "shelby",
    "steph",
    "travis",
    "victor",
    "zac",
]
FLITE_VOICES = ("awb", "rms", "slt", "kal", "kal16")
FLITE_PITCH_HZ = {"awb": 125.0, "rms": 100.0, "slt": 170.0, "kal": 105.0, "kal16": 105.0}
FESTIVAL_VOICES = ("voice_cmu_us_slt_arctic_hts", "voice_kal_diphone")
# Loading a festival voice takes longer than speaking a sentence.
FESTIVAL_BATCH = 64
# What runs an engine, and the Debian packages that have it.
PROGRAMS = {
    "espeak": ("espeak-ng", "espeak-ng"),
    "flite": ("flite", "flite"),
    "festival": ("festival", "festival, and the festvox voices named here and in accents.py"),
    "rhvoice": ("RHVoice-test", "rhvoice, and the languages of accents.py, from non-free"),
    "pico": ("pico2wave", "libttspico-utils, from non-free"),
}


@dataclass(frozen=True)
class SynthesisJob:
    """One text to speak.

    Attributes:
        engine: "espeak", "flite", "rhvoice", "pico" or "festival".
        voice: the engine's own name of the voice.
        text: what is said.
        tempo: speaking rate relative to the voice's own, > 0; pico ignores it.
        pitch: pitch relative to the voice's own, > 0; festival and pico ignore it.
        corpus: of the clip.
        spelling: how the voice is told to say it, if not in English.
    """

    engine: str
    voice: str
    text: str
    tempo: float
    pitch: float
    corpus: str = "synthetic"
    spelling: str = ""

    @property
    def input(self) -> str:
        """What the engine is given to read."""
        return self.spelling or self.text


def plan_words(words: Sequence[str], seed: int) -> list[SynthesisJob]:
    """Plan isolated words and digit strings.

    Args:
        words: vocabulary of isolated words.
        seed: decides voices, rates and the order of the digits.

    Returns:
        48 jobs a word, 240 a digit, and 2,500 strings of 1 to 8 digits.
    """
    rng = np.random.default_rng(seed)
    # Few people speak the recorded digits: many voices make up for some of that.
    texts = [word for word in words for _ in range(240 if word in DIGITS else 48)]
    for _ in range(2_500):
        texts.append(" ".join(rng.choice(DIGITS, size=int(rng.integers(1, 9)))))
    return [_random_job(text, rng) for text in texts]


def plan_other_words(
    sentences: Sequence[str], words: Sequence[str], count: int, seed: int
) -> list[SynthesisJob]:
    """Plan words that are alone and none of the vocabulary.

    Without them a model that hears a single word has learned that it is one of a few.

    Args:
        sentences: what to choose from.
        words: the vocabulary.
        count: number of jobs, at most.
        seed: decides the choice, the voices and the rates.

    Returns:
        One job for each chosen word.
    """
    rng = np.random.default_rng(seed)
    found = {word for sentence in sentences for word in sentence.split()} - set(words)
    others = sorted(word for word in found if len(word) > 2 and word.isalpha())
    order = rng.permutation(len(others))[:count]
    return [_random_job(others[index], rng) for index in order]


def plan_sentences(
    sentences: Sequence[str], count: int, max_characters: int, seed: int
) -> list[SynthesisJob]:
    """Plan free sentences.

    Args:
        sentences: what to choose from.
        count: number of jobs, at most.
        max_characters: longer sentences are left out.
        seed: decides the choice, the voices and the rates.

    Returns:
        One job for each chosen sentence.
    """
    rng = np.random.default_rng(seed)
    short = [sentence for sentence in sentences if 0 < len(sentence) <= max_characters]
    order = rng.permutation(len(short))[:count]
    return [_random_job(short[index], rng) for index in order]


def _random_job(text: str, rng: np.random.Generator) -> SynthesisJob:
    engine = rng.choice(["espeak", "flite", "festival"], p=[0.5, 0.4, 0.1])
    if engine == "espeak":
        voice = f"{rng.choice(ESPEAK_ACCENTS)}+{rng.choice(ESPEAK_TIMBRES)}"
    elif engine == "flite":
        voice = str(rng.choice(FLITE_VOICES, p=[0.3, 0.3, 0.3, 0.05, 0.05]))
    else:
        voice = str(rng.choice(FESTIVAL_VOICES, p=[0.7, 0.3]))
    tempo, pitch = rng.uniform(0.75, 1.3), rng.uniform(0.75, 1.35)
    return SynthesisJob(str(engine), voice, text, float(tempo), float(pitch))


def synthesise(jobs: Sequence[SynthesisJob]) -> Iterator[tuple[str, str, str, np.ndarray]]:
    """Speak every job.

    Args:
        jobs: in any order; festival's are spoken last.

    Yields:
        (corpus, speaker, text, float32 waveform [samples] at 16 kHz). Jobs for which the engine
        gives no sound are left out.

    Raises:
        FileNotFoundError: if a synthesiser is not installed.
    """
    for engine in dict.fromkeys(job.engine for job in jobs):
        program, package = PROGRAMS[engine]
        if shutil.which(program) is None:
            raise FileNotFoundError(f"{program} is not installed: apt-get install {package}")
    festival = [job for job in jobs if job.engine == "festival"]
    single = [job for job in jobs if job.engine != "festival"]
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        for job in tqdm(single, desc="one by one"):
            wav.unlink(missing_ok=True)
            command, read = COMMAND_BUILDERS[job.engine](job, wav), job.input.encode()
            subprocess.run(command, input=read, check=True, capture_output=True)
            yield from _read(job, wav)
        for start in tqdm(range(0, len(festival), FESTIVAL_BATCH), desc="festival"):
            batch = festival[start : start + FESTIVAL_BATCH]
            wavs = [Path(folder) / f"{index}.wav" for index in range(len(batch))]
            script = Path(folder) / "batch.scm"
            script.write_text(_festival_script(batch, wavs), "utf-8")
            subprocess.run(["festival", "-b", str(script)], check=True, capture_output=True)
            for job, spoken in zip(batch, wavs, strict=True):
                yield from _read(job, spoken)
                spoken.unlink(missing_ok=True)


def _read(job: SynthesisJob, wav: Path) -> Iterator[tuple[str, str, str, np.ndarray]]:
    if not wav.exists():
        return
    waveform, rate_hz = soundfile.read(wav, dtype="float32")
    if len(waveform) > rate_hz // 10 and np.abs(waveform).max() > 0.001:
        yield job.corpus, f"{job.engine}-{job.voice}", job.text, resample(waveform, rate_hz)


def _espeak_command(job: SynthesisJob, wav: Path) -> list[str]:
    words_per_minute = round(165 * job.tempo)
    pitch = int(np.clip(50 + 80 * np.log2(job.pitch), 0, 99))
    options = ["-v", job.voice, "-s", str(words_per_minute), "-p", str(pitch)]
    return ["espeak-ng", *options, "-w", str(wav), job.input]


def _flite_command(job: SynthesisJob, wav: Path) -> list[str]:
    pitch_hz = FLITE_PITCH_HZ[job.voice] * job.pitch
    settings = [f"duration_stretch={1 / job.tempo:.3f}", f"int_f0_target_mean={pitch_hz:.1f}"]
    options = ["--setf", settings[0], "--setf", settings[1]]
    return ["flite", "-voice", job.voice, *options, "-t", job.input, "-o", str(wav)]


def _rhvoice_command(job: SynthesisJob, wav: Path) -> list[str]:
    options = ["-r", f"{100 * job.tempo:.0f}", "-t", f"{100 * job.pitch:.0f}"]
    return ["RHVoice-test", "-p", job.voice, *options, "-o", str(wav)]


def _pico_command(job: SynthesisJob, wav: Path) -> list[str]:
    return ["pico2wave", "-l", job.voice, "-w", str(wav), job.input]


COMMAND_BUILDERS = {
    "espeak": _espeak_command,
    "flite": _flite_command,
    "rhvoice": _rhvoice_command,
    "pico": _pico_command,
}


def _festival_script(jobs: Sequence[SynthesisJob], wavs: Sequence[Path]) -> str:
    lines = []
    for job, wav in zip(jobs, wavs, strict=True):
        lines.append(f"({job.voice})")
        lines.append(f"(Parameter.set 'Duration_Stretch {1 / job.tempo:.3f})")
        utterance = f'(utt.synth (Utterance Text "{job.input}"))'
        lines.append(f'(utt.save.wave {utterance} "{wav}" \'riff)')
    return "\n".join(lines) + "\n"
