"""From a cold process to the first answer, and what the app costs while nobody uses it."""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from foundry.benchmark.harness.served_app import PROJECT_DIR, OpenPage, Visitor, serve_app
from foundry.data import load_test_split
from foundry.runs.folders import RUNS_DIR_VARIABLE

_STARTS = 3
_CLIP = PROJECT_DIR / "foundry" / "ui" / "clips" / "digits.flac"
_IMPORT_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\w+)")
_SMALLEST_SHARE = 0.02


def _call_every_tab(visitor: Visitor, digit: Path) -> dict[str, float]:
    """Return the seconds that one call of each tab's endpoint takes."""
    picture, clip = visitor.upload(digit), visitor.upload(_CLIP)
    calls = {
        "classify_digit": (picture, "lenet", "dense"),
        "score_sentiment": ("A warm and funny film.", "bert-sentiment", "dense"),
        "explain_sentiment": ("A warm and funny film.", "bert-sentiment"),
        "transcribe": (clip, "wav2vec2-commands", "dense", ""),
    }
    seconds = {}
    for api_name, values in calls.items():
        started = time.perf_counter()
        visitor.call(api_name, *values)
        seconds[api_name] = time.perf_counter() - started
    return seconds


def _measure_first_answer(digit: Path, runs: dict[str, str]) -> dict[str, float]:
    with serve_app(**runs) as app, Visitor(app.url) as visitor:
        visitor.call("classify_digit", visitor.upload(digit), "lenet", "dense")
        answer_s, times = time.perf_counter() - app.started, app.process.cpu_times()
        return {"page_s": app.page_s, "answer_s": answer_s, "cpu_s": times.user + times.system}


def _measure_idle(digit: Path, runs: dict[str, str]) -> dict[str, Any]:
    with serve_app(**runs) as app, OpenPage(app.url) as page, Visitor(app.url) as visitor:
        app.wait_until_idle()
        idle_rss_mb = app.rss_mb
        for event in page.find_events("load"):
            page.fire(event, *[""] * len(event["inputs"]))
        warm_up_s = app.wait_until_idle()
        return {
            "idle_rss_mb": idle_rss_mb,
            "warm_up_s": warm_up_s,
            "warm_rss_mb": app.rss_mb,
            "first_call_s": _call_every_tab(visitor, digit),
        }


def _measure_imports() -> dict[str, float]:
    """Return the share that each package has in the seconds that imports take."""
    command = [sys.executable, "-X", "importtime", "-c", "import foundry.ui.app"]
    log = subprocess.run(command, cwd=PROJECT_DIR, check=True, stderr=subprocess.PIPE, text=True)
    times: Counter[str] = Counter()
    for match in _IMPORT_LINE.finditer(log.stderr):
        times[match[2]] += int(match[1])
    return {package: time_us / times.total() for package, time_us in times.most_common()}


def measure() -> dict[str, Any]:
    """Start the app a few times; the median of the first answers, and one look at it idle."""
    with tempfile.TemporaryDirectory() as folder:
        digit = Path(folder) / "digit.png"
        Image.fromarray(255 - load_test_split().images[0].numpy()).resize((280, 280)).save(digit)
        runs = {RUNS_DIR_VARIABLE: folder}
        starts = [_measure_first_answer(digit, runs) for _ in tqdm(range(_STARTS), desc="starts")]
        idle = _measure_idle(digit, runs)
    return {
        "first_answer_s": statistics.median(start["answer_s"] for start in starts),
        "first_answer_cpu_s": statistics.median(start["cpu_s"] for start in starts),
        "first_page_s": statistics.median(start["page_s"] for start in starts),
        **idle,
        "import_shares": _measure_imports(),
    }


def report(figures: dict[str, Any]) -> str:
    """Return the figures in words."""
    calls = ", ".join(
        f"{name} {seconds:.2f} s" for name, seconds in figures["first_call_s"].items()
    )
    shares = ", ".join(
        f"{package} {share:.0%}"
        for package, share in figures["import_shares"].items()
        if share >= _SMALLEST_SHARE
    )
    return "\n".join(
        [
            f"First page after {figures['first_page_s']:.1f} s, first digit read after "
            f"{figures['first_answer_s']:.1f} s "
            f"({figures['first_answer_cpu_s']:.1f} s of processor time).",
            f"Idle: {figures['idle_rss_mb']:.0f} MB. {figures['warm_up_s']:.1f} s after somebody "
            f"opened the page everything is loaded: {figures['warm_rss_mb']:.0f} MB.",
            f"The first call of each endpoint then takes: {calls}.",
            f"Shares of the imports: {shares}.",
        ]
    )
