"""What workers are started with."""

import subprocess
import sys

from foundry.runs.folders import RUNS_DIR_VARIABLE, runs_dir
from foundry.runs.standby import fix_runs_dir, start_worker


def test_workers_find_the_runs_of_a_relative_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(RUNS_DIR_VARIABLE, "runs")
    fix_runs_dir()
    assert runs_dir() == tmp_path / "runs"
    says = f"import os; print(os.environ['{RUNS_DIR_VARIABLE}'])"
    real_popen = subprocess.Popen
    monkeypatch.setattr(
        subprocess,
        "Popen",
        lambda _, **options: real_popen([sys.executable, "-c", says], **options),
    )
    said, _ = start_worker("foundry.training.worker", log=subprocess.PIPE).communicate()
    assert said.strip() == str(tmp_path / "runs")


def test_without_one_the_folder_stays_the_users(monkeypatch):
    monkeypatch.delenv(RUNS_DIR_VARIABLE, raising=False)
    usual = runs_dir()
    fix_runs_dir()
    assert runs_dir() == usual
