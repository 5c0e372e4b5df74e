"""Every README of the project, taken apart: what it points to, and what it says to run."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parent.parent
ROOMS = ("foundry", "tests", "weights")
READMES = [
    PROJECT / "README.md",
    *(readme for room in ROOMS for readme in sorted((PROJECT / room).rglob("README.md"))),
]
PROGRAMS = {
    "python", "python3", "pip", "bash", "hf", "ray", "serve", "git", "tar", "export",
    "cd", "sha256sum", "du", "apt-get", "flite", "flac", "lint-imports",
}  # fmt: skip
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
_TARGET = re.compile(r'\]\((?!https?://)([^)\s]+)\)|<img src="([^"]+)"')
_FILE = re.compile(r"[\w.*-]+\.(py|md|json|js|txt|toml|ini|csv|png|flac|ogg)")
_PATH = re.compile(r"\.?[\w*-][\w.*-]*(/[\w.*-]+)*/?")


@dataclass(frozen=True)
class Command:
    """One command, without the environment's folder before its program.

    Attributes:
        argv: The program and its arguments.
        is_whole: Whether it stands in a block, to be copied; in a sentence it may leave out what
            it needs.
    """

    argv: tuple[str, ...]
    is_whole: bool

    def __str__(self) -> str:
        return shlex.join(self.argv)


def name_of(readme: Path) -> str:
    """Return the path inside the project."""
    return str(readme.relative_to(PROJECT))


def find_blocks(readme: Path, language: str) -> list[str]:
    """Return the blocks of a language: `python`, `bash`, `text`."""
    return [block for name, block in _FENCE.findall(readme.read_text("utf-8")) if name == language]


def find_code(readme: Path) -> list[str]:
    """Return what stands between backticks in sentences and tables, each on one line."""
    text = _FENCE.sub("", readme.read_text("utf-8"))
    return [" ".join(code.split()) for code in _CODE.findall(text)]


def find_rows(readme: Path, pattern: str) -> list[list[str]]:
    """Return the cells of the rows of tables whose first one matches a pattern."""
    rows = re.findall(r"^\| (.*) \|$", readme.read_text(), re.MULTILINE)
    cells = [row.split(" | ") for row in rows]
    return [row for row in cells if re.fullmatch(pattern, row[0])]


def find_targets(readme: Path) -> list[str]:
    """Return what links and pictures point to, in the project."""
    text = _FENCE.sub("", readme.read_text("utf-8"))
    return [link or picture for link, picture in _TARGET.findall(text)]


def find_anchors(readme: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    text = _FENCE.sub("", readme.read_text("utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def find_paths(readme: Path) -> list[str]:
    """Return what is written like a path: with a slash inside or at its end, or a file's ending."""
    return [
        code
        for code in find_code(readme)
        if _PATH.fullmatch(code) and ("/" in code or _FILE.fullmatch(code))
    ]


def find_commands(readme: Path) -> list[Command]:
    """Return every command: of the blocks all, of sentences what begins with a known program."""
    whole = [line for block in find_blocks(readme, "bash") for line in block.splitlines()]
    named = [code for code in find_code(readme) if " " in code and _program(code) in PROGRAMS]
    return [
        Command(argv, lines is whole)
        for lines in (whole, named)
        for line in lines
        for argv in _split(line)
    ]


def _program(text: str) -> str:
    return text.split()[0].removeprefix(".venv/bin/")


def _split(line: str) -> list[tuple[str, ...]]:
    """Split a line of the shell into the commands that `&&` and `|` join."""
    tokens = shlex.shlex(line, posix=True, punctuation_chars="&|")
    tokens.whitespace_split = True
    commands: list[list[str]] = [[]]
    for token in tokens:
        if token in ("&&", "|"):
            commands.append([])
        else:
            commands[-1].append(token)
    return [(_program(first), *rest) for first, *rest in filter(None, commands)]
