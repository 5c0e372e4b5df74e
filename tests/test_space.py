"""The README's front matter, which Hugging Face Spaces reads, agrees with everything else."""

import configparser
import re
import tomllib
from pathlib import Path

import gradio
import pytest
from huggingface_hub import metadata_load
from huggingface_hub.utils import validate_repo_id

from foundry.models.hub import OFFERED

PROJECT = Path(__file__).parent.parent
SETTINGS = (PROJECT / "foundry" / "ui" / "server" / "README.md").read_text()
SPACE = metadata_load(PROJECT / "README.md")
# The Hub's own list: https://huggingface.co/docs/hub/spaces-config-reference
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
MAX_DESCRIPTION = 60


def test_the_page_is_described_within_the_hubs_limits():
    assert SPACE["title"] == "Foundry"
    assert {SPACE["colorFrom"], SPACE["colorTo"]} <= COLOURS
    assert SPACE["emoji"]
    assert not any(character.isascii() for character in SPACE["emoji"])
    assert 0 < len(SPACE["short_description"]) <= MAX_DESCRIPTION
    assert SPACE["suggested_hardware"] == "cpu-basic"
    assert SPACE["tags"]
    # The strictest of what ships here: MNIST's.
    assert SPACE["license"] == "cc-by-sa-3.0"


def test_the_space_runs_what_is_tested():
    requirements = (PROJECT / "requirements.txt").read_text()
    assert SPACE["sdk"] == "gradio"
    assert SPACE["sdk_version"] == gradio.__version__
    assert f"gradio=={SPACE['sdk_version']}" in requirements
    types = configparser.ConfigParser()
    types.read(PROJECT / ".mypy.ini")
    assert SPACE["python_version"] == types["mypy"]["python_version"]
    lint = tomllib.loads((PROJECT / ".ruff.toml").read_text())
    assert "py" + SPACE["python_version"].replace(".", "") == lint["target-version"]
    assert f"Python {SPACE['python_version']}" in requirements
    assert (PROJECT / SPACE["app_file"]).is_file()


def test_requirements_are_pinned_and_come_from_pypi():
    lines = (PROJECT / "requirements.txt").read_text().splitlines()
    wanted = [line.split("#")[0].strip() for line in lines]
    for line in filter(None, wanted):
        assert re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z,]+\])?==[0-9.]+", line), line


def test_the_models_on_offer_are_named_and_put_there_at_build_time():
    offered = {name for names in OFFERED.values() for name in names}
    assert offered <= set(SPACE["models"])
    preloaded = dict(entry.split(" ") for entry in SPACE["preload_from_hub"])
    assert set(preloaded) == offered
    for files in preloaded.values():
        assert {"config.json", "model.safetensors"} <= set(files.split(","))
        assert not re.search(r"\.(bin|pt|pth|ckpt|pkl|h5)\b", files)


@pytest.mark.parametrize("repo_id", [*SPACE["models"], *SPACE["datasets"]])
def test_what_is_named_is_a_hub_id(repo_id):
    validate_repo_id(repo_id)


def test_every_variable_of_ours_is_documented():
    sources = [*PROJECT.glob("foundry/**/*.py"), PROJECT / "app.py"]
    used = {name for path in sources for name in re.findall(r"\bFOUNDRY_[A-Z_]+", path.read_text())}
    assert used
    assert {name for name in used if f"`{name}`" not in SETTINGS} == set()
