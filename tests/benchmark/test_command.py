import json
import subprocess
import sys

import pytest

from foundry.benchmark import __main__ as command
from foundry.benchmark import load, readme, search, startup


@pytest.fixture
def ran(monkeypatch):
    """What would have been run; `speech` fails, the others write a figure."""
    names = []

    def run(arguments, check):
        name, path = arguments[3], arguments[5]
        names.append(name)
        if name != "speech":
            with open(path, "w") as file:
                json.dump({"figure": len(names)}, file)
        return subprocess.CompletedProcess(arguments, int(name == "speech"))

    monkeypatch.setattr(command.subprocess, "run", run)
    return names


def test_all_of_them_are_one_page_and_one_file(ran, monkeypatch, tmp_path, capsys):
    file = tmp_path / "all.json"
    monkeypatch.setattr(sys, "argv", ["benchmark", "all", "--json", str(file)])
    command.main()
    figures = json.loads(file.read_text())
    assert ran == list(command.BENCHMARKS)
    assert set(figures) == {"machine", *command.BENCHMARKS}
    assert figures["speech"] is None
    assert figures["training"] == {"figure": 1}
    assert {"load_average", "python", "torch", "processors"} <= set(figures["machine"])
    printed = capsys.readouterr().out
    assert all(f"== {name}" in printed for name in command.BENCHMARKS)


def test_options_of_one_reach_it(monkeypatch, tmp_path, capsys):
    asked = []
    monkeypatch.setattr(load, "measure", lambda seconds: asked.append(seconds) or {"errors": 0})
    monkeypatch.setattr(load, "report", lambda figures: "no error")
    file = tmp_path / "load.json"
    monkeypatch.setattr(sys, "argv", ["benchmark", "load", "--seconds", "5", "--json", str(file)])
    command.main()
    assert asked == [5.0]
    assert json.loads(file.read_text()) == {"errors": 0}
    assert "no error" in capsys.readouterr().out


def test_reports_put_every_figure_into_words():
    words = startup.report(
        {
            "first_answer_s": 4.26,
            "first_answer_cpu_s": 4.0,
            "first_page_s": 3.9,
            "idle_rss_mb": 651.0,
            "warm_up_s": 3.2,
            "warm_rss_mb": 1010.0,
            "first_call_s": {"transcribe": 0.123},
            "import_shares": {"torch": 0.4, "numpy": 0.01},
        }
    )
    for figure in ("4.3 s", "651 MB", "1010 MB", "transcribe 0.12 s", "torch 40%"):
        assert figure in words
    assert "numpy" not in words
    words = load.report(
        {
            "visitors": {"transcribe": 5},
            "answers": {"transcribe": 12},
            "p50_ms": {"transcribe": 80.4},
            "p95_ms": {"transcribe": 99.6},
            "answers_per_s_of_one_and_all": {"transcribe": [7.5, 12.0]},
            "processor_ms": {"a stroke on the pad": 9.4},
            "seconds": 40.0,
            "errors": 1,
            "error_messages": {"transcribe: RuntimeError": 1},
            "wrong_answers": 0,
            "training_slowdown": 0.5,
            "rss_mb": 1000.0,
            "rss_growth": 0.01,
        }
    )
    for figure in ("80", "100", "7.5", "12.0", "1 errors", "50%", "+1.0%", "1 x transcribe"):
        assert figure in words


def test_a_search_is_put_beside_random_search(monkeypatch):
    monkeypatch.setattr(
        search,
        "_search_once",
        lambda config: {
            "seed": config.seed,
            "sampler": config.sampler,
            "wall_s": 62.4,
            "num_trials": 30,
            "num_whole": 9,
            "val_accuracy": 0.99,
            "test_accuracy": (0.987 if config.sampler == "random" else 0.989) + config.seed / 1000,
            "settings": {},
        },
    )
    figures = search.measure(minutes=1.0, seeds=3)
    assert [(one["sampler"], one["seed"]) for one in figures["searches"][:3]] == [
        ("optuna", 0),
        ("random", 0),
        ("optuna", 1),
    ]
    # Medians of 98.9, 99.0, 99.1 and of 98.7, 98.8, 98.9.
    assert "99.00% with TPE and ASHA, 98.80% at random; 98.9% is reached" in search.report(figures)
    ((_, value),) = readme._search_rows(figures)
    assert value == "99.00% (98.90% to 99.10%); random search 98.80% (98.70% to 98.90%)"
