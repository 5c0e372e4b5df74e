"""What the READMEs point to exists, and what they say to run is accepted by what it runs."""

import argparse
import configparser
import importlib.util
import os
import pkgutil
import re
import runpy
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from readmes import (
    PROGRAMS,
    PROJECT,
    READMES,
    ROOMS,
    Command,
    find_anchors,
    find_blocks,
    find_code,
    find_commands,
    find_paths,
    find_targets,
    name_of,
)

from foundry.models.hub import OFFERED
from foundry.ui.app import _TABS

MAX_LINES = 200
# Ids of the Hub look like paths.
HUB_IDS = {
    "sentence-transformers/all-MiniLM-L6-v2",
    *(name for names in OFFERED.values() for name in names),
}
# In the example of a tab.
MADE_UP = {"foundry/ui/count/"}
# Installed beside this Python; each lists its options.
ASKED_FOR_HELP = {"hf", "ray", "serve"}
every_readme = pytest.mark.parametrize("readme", READMES, ids=name_of)


def test_the_first_readme_is_short_and_shows_every_tab():
    lines = (PROJECT / "README.md").read_text().splitlines()
    assert len(lines) <= MAX_LINES
    rows = [line for line in lines if line.startswith("| <img ")]
    for build in _TABS:
        tab = build.__name__.removeprefix("build_").removesuffix("_tab")
        assert any(f"**{tab.title()}**" in row for row in rows), tab


@every_readme
def test_links_and_pictures_lead_somewhere(readme):
    for target in find_targets(readme):
        path, _, anchor = target.partition("#")
        file = (readme.parent / path).resolve() if path else readme
        assert file.exists(), target
        assert file.is_relative_to(PROJECT), target
        if anchor:
            assert anchor in find_anchors(file), target


@every_readme
def test_paths_exist(readme):
    """From the project's folder or the README's; a mere name, such as `config.json`, anywhere."""
    missing = [path for path in find_paths(readme) if not is_there(path, readme.parent)]
    assert set(missing) <= HUB_IDS | MADE_UP


def is_there(path, folder):
    if "/" not in path and any(list((PROJECT / room).rglob(path)) for room in ROOMS):
        return True
    return any(list(start.glob(path)) for start in (PROJECT, folder))


@every_readme
def test_names_are_where_they_are_said_to_be(readme):
    for code in find_code(readme):
        if re.fullmatch(r"foundry(\.\w+)+", code):
            pkgutil.resolve_name(code)
    text = " ".join(readme.read_text("utf-8").split())
    for name, path in re.findall(r"`(\w+)(?:\(\))?` (?:in |\()`([\w/]+\.py)`", text):
        assert re.search(rf"\b{name}\b", (PROJECT / path).read_text()), (name, path)


def test_the_layers_are_those_that_are_checked():
    rules = configparser.ConfigParser()
    rules.read(PROJECT / ".importlinter")
    layers = rules["importlinter:contract:layers"]["layers"].split("\n")[1:]
    (shown,) = find_blocks(PROJECT / "foundry" / "README.md", "text")
    assert shown.splitlines() == layers


def test_all_that_tests_share_is_listed():
    shared = {path.name for path in (PROJECT / "tests").glob("*.py")}
    shared -= {path for path in shared if path.startswith("test_")}
    assert shared <= set(find_code(PROJECT / "tests" / "README.md"))


class ParsedError(Exception):
    """Ends a program as soon as it has read its arguments."""


def parse(program, command, monkeypatch):
    """Have a program's own parser read the arguments, and nothing done with them.

    Args:
        program: Starts it.
        command: Its arguments are the last ones.
        monkeypatch: Of the test.
    """
    read = argparse.ArgumentParser.parse_args

    def parse_args(self, args=None, namespace=None):
        if not command.is_whole:
            for action in self._actions:
                action.required = False
        read(self, args, namespace)
        raise ParsedError

    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", parse_args)
        with pytest.raises(ParsedError):
            program()


def check_python(command, monkeypatch):
    match command.argv[1:]:
        case ("-m", "venv", folder):
            assert folder == ".venv"
        case ("-m", "pytest", *arguments):
            check_pytest(arguments)
        case ("-m", module, *arguments):
            check_module(module, [one for one in arguments if one != "..."], command, monkeypatch)
        case ("app.py", *arguments):
            import app

            monkeypatch.setattr(sys, "argv", ["app.py", *arguments])
            parse(app.main, command, monkeypatch)
        case (script,):
            compile((PROJECT / script).read_text(), script, "exec")
        case others:
            pytest.fail(f"no check of {others}")


def check_module(module, arguments, command, monkeypatch):
    found = importlib.util.find_spec(module)
    assert found is not None, module
    if found.submodule_search_locations:
        found = importlib.util.find_spec(f"{module}.__main__")
    assert found is not None, module
    assert module.startswith("foundry.")
    if "argparse" not in Path(found.origin).read_text():
        assert arguments == []
    elif arguments or command.is_whole:
        monkeypatch.setattr(sys, "argv", [module, *arguments])
        # Where a test has imported it already, it is run anew.
        monkeypatch.delitem(sys.modules, found.name, raising=False)
        parse(lambda: runpy.run_module(module, run_name="__main__"), command, monkeypatch)


def check_pytest(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("paths", nargs="*")
    parser.add_argument("-m", dest="mark")
    parser.add_argument("--ignore", action="append", default=[])
    parser.add_argument("--ignore-glob")
    parsed = parser.parse_args(arguments)
    for path in [*parsed.paths, *parsed.ignore]:
        assert list(PROJECT.glob(path)), path
    settings = configparser.ConfigParser()
    settings.read(PROJECT / ".pytest.ini")
    assert not parsed.mark or f"\n{parsed.mark}:" in settings["pytest"]["markers"]


def check_pip(command, _):
    pinned = (PROJECT / "requirements.txt").read_text()
    match command.argv[1:]:
        case ("install", "-r", file):
            assert (PROJECT / file).is_file()
        case ("install", *wanted):
            if "--index-url" in wanted:
                *wanted, option, address = wanted
                assert (option, address[:8]) == ("--index-url", "https://")
            for text in wanted:
                requirement = Requirement(text)
                assert not requirement.specifier or f"{requirement}  " in pinned
        case others:
            pytest.fail(f"no check of {others}")


def check_bash(command, _):
    script, *scopes = command.argv[1:]
    subprocess.run(["bash", "-n", script], cwd=PROJECT, check=True)
    usage = re.search(r"usage: .ci/run \[(\w+)\]", (PROJECT / script).read_text())
    assert not scopes or scopes == [usage[1]]


def check_part_of_ci(command, _):
    assert str(command) in (PROJECT / ".ci" / "run").read_text().replace('"', "")


def check_by_help(command, _):
    """Compare the options with those that the program lists."""
    program, *arguments = command.argv
    file = Path(sys.executable).with_name(program)
    if not file.exists():
        pytest.skip(f"{program} is not installed here")
    names = arguments[: 2 if arguments[0] == "auth" else 1]
    options = {one.partition("=")[0] for one in arguments if one.startswith("-")}
    assert options <= list_options(file, *names)


@cache
def list_options(file, *names):
    """Return the options of a program's subcommand, from its help."""
    # In a narrow terminal the names of options are broken.
    wide = os.environ | {"COLUMNS": "200", "RAY_USAGE_STATS_ENABLED": "0"}
    asked = [str(file), *names, "--help"]
    answer = subprocess.run(asked, env=wide, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", answer))


CHECKS = {
    "python": check_python,
    "python3": check_python,
    "pip": check_pip,
    "bash": check_bash,
    "lint-imports": check_part_of_ci,
    **dict.fromkeys(ASKED_FOR_HELP, check_by_help),
}


def all_commands():
    found = {command: name_of(readme) for readme in READMES for command in find_commands(readme)}
    return [pytest.param(command, id=f"{readme}: {command}") for command, readme in found.items()]


@pytest.mark.slow("starts what each names")
@pytest.mark.parametrize("command", all_commands())
def test_commands_are_accepted(command, monkeypatch):
    assert command.argv[0] in PROGRAMS
    if command.argv[0] in CHECKS:
        CHECKS[command.argv[0]](command, monkeypatch)


def test_a_command_that_is_not_accepted_is_found(monkeypatch):
    wrong = [
        ("python", "-m", "foundry.nothing"),
        ("python", "-m", "foundry.search", "--hours", "3"),
        ("python", "-m", "foundry.recipes.speech"),
        ("python", "-m", "foundry.benchmark.readme", "now"),
        ("python", "-m", "pytest", "tests/nothing"),
        ("python", "app.py", "--nothing"),
        ("python", "nothing.py"),
        ("pip", "install", "torch==1.0"),
        ("pip", "install", "-r", "nothing.txt"),
    ]
    for argv in wrong:
        with pytest.raises((AssertionError, SystemExit, OSError, ModuleNotFoundError)):
            CHECKS[argv[0]](Command(argv, is_whole=True), monkeypatch)


def test_the_command_that_publishes_gives_what_runs(tmp_path):
    (line,) = [
        line
        for block in find_blocks(PROJECT / "README.md", "bash")
        for line in block.splitlines()
        if line.startswith("git archive")
    ]
    unpack, upload = line.split(" && ")
    assert unpack.endswith(" -C /tmp") and " /tmp/foundry-space " in upload
    # Whoever owns the checkout, the tests may read it.
    anyones = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory"}
    subprocess.run(
        ["bash", "-o", "pipefail", "-c", unpack.replace("/tmp", str(tmp_path))],
        cwd=PROJECT,
        env=os.environ | anyones | {"GIT_CONFIG_VALUE_0": "*"},
        check=True,
    )
    published = tmp_path / "foundry-space"
    for name in ("README.md", "app.py", "requirements.txt", "foundry", "weights"):
        assert (published / name).exists()


def test_the_command_that_records_checksums_gives_the_recorded_ones():
    (line,) = [
        line
        for block in find_blocks(PROJECT / "foundry" / "README.md", "bash")
        for line in block.splitlines()
        if "sha256sum" in line
    ]
    command, _, target = line.partition(" > ")
    given = subprocess.run(
        ["bash", "-c", command], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    recorded = (PROJECT / "weights" / target).read_text()
    assert sorted(given.splitlines()) == sorted(recorded.splitlines())
