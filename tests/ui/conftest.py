"""What the handlers of several tabs find."""

import pytest

from foundry.runs.folders import RUNS_DIR_VARIABLE


@pytest.fixture
def finished(finished_run, monkeypatch):
    """The finished run of the visitor “somebody”, in reach of the handlers."""
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(finished_run.folder.parent))
    return finished_run
