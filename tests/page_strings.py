"""Every English text of the sources that can reach the page, found by reading them.

A text is a template as the page's dictionary has it: where the sources insert something, it has
`{}`. HTML and Markdown are taken apart into what stands between their tags and marks, which is what
the browser's text nodes hold.
"""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

FOUNDRY = Path(__file__).parents[1] / "foundry"
# Made from recipes or shown in a terminal, never on the page.
_NEVER_SHOWN = {
    "recipes", "benchmark", "loaders", "theme.py", "calibration.py",
}  # fmt: skip
# What a program prints, or writes into files.
_FOR_TERMINALS = {"training/export.py", "search/__main__.py", "search/stream.py"}
_ERRORS = {"InputError", "ArtifactError", "DivergedError"}
# Keyword arguments that hold names, styles or code.
_NOT_TEXT = {"elem_id", "elem_classes", "css_template", "api_name", "api_visibility", "variant"}
_ATTRIBUTES = {"title", "aria-label", "alt", "placeholder"}
# What looks like a text and is none: names in the code, what is looked for, what is data.
# An environment variable.
_VARIABLE = re.compile(r"[A-Z]+(_[A-Z]+)+")
_NO_TEXTS = {
    "FOUNDRY_AUTH", "WaitingQueue", "Ticket", "PNG", "JPEG", "RGB", "LA", "Result",
    "Referrer-Policy", "LeNet", "CNN",
    "X-Content-Type-Options", "PyTorch", "OpenVINO", "This is no address.", "English",
    "MB", "Backspace", "Escape", "Enter", "model name", "Python", "Gradio", "Transformers", "NNCF",
    "${hint}", "NotAllowedError", "allocate memory",
    "another layer's turn", "SST-2 dev", "isolated words", "pruned WER, beam", "beam WER",
    "pruned, as published", "accuracy, as published",
}  # fmt: skip
# English texts to try the models on; script; attributions as their authors give them.
_EXAMPLES = {"EXAMPLE_TEXTS", "_TEXT", "HEAD", "_SHOW_JS", "_IN_SIGHT_JS", "LICENCES"}
_INSERTED = "\N{OBJECT REPLACEMENT CHARACTER}"
_WORD = re.compile(r"[A-Za-z]{2,}")
_STYLE = re.compile(r"[\w\])] *\{ *[\w-]+:|^\w+:var\(|^background:")
_SCRIPT_TEXT = re.compile(r"""[?:(,=][^'\n]*'([A-Z][^'\n]*)'""")
_SCRIPT = re.compile(r"=> \{|addEventListener|=>$", re.MULTILINE)


class _Texts(HTMLParser):
    """Collects what a fragment of HTML shows: text between tags, and attributes that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_script = False

    def handle_starttag(self, tag, attrs):
        self._is_script = tag == "script"
        self.found += [value for name, value in attrs if name in _ATTRIBUTES and value]

    def handle_data(self, data):
        if not self._is_script:
            self.found.append(data)


def _template(node: ast.expr) -> str | None:
    """Return a string expression, with `_INSERTED` for what is computed; None for others."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = (
            part.value if isinstance(part, ast.Constant) else _INSERTED for part in node.values
        )
        return "".join(parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _template(node.left), _template(node.right)
        if left is None and right is None:
            return None
        return (left if left is not None else _INSERTED) + (
            right if right is not None else _INSERTED
        )
    return None


class _Strings(ast.NodeVisitor):
    """Collects the string expressions of a module that may be text, outermost first."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []

    def visit_Expr(self, node):
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_keyword(self, node):
        if node.arg not in _NOT_TEXT:
            self.generic_visit(node)

    def visit_Assert(self, node):
        pass

    def visit_Raise(self, node):
        name = getattr(getattr(node.exc, "func", None), "id", None)
        if name in _ERRORS or not isinstance(node.exc, ast.Call):
            self.generic_visit(node)

    def visit_Call(self, node):
        owner = getattr(getattr(node.func, "value", None), "id", "")
        if owner not in ("_logger", "parser", "re"):
            self.generic_visit(node)

    def visit_Assign(self, node):
        names = {getattr(target, "id", "") for target in node.targets}
        if not names & _EXAMPLES and not any(name.endswith("CSS") for name in names):
            self.generic_visit(node)

    def visit_Compare(self, node):
        self.visit(node.left)

    def visit_Subscript(self, node):
        self.visit(node.value)

    def _text(self, node):
        text = _template(node)
        if text is None:
            self.generic_visit(node)
            return
        self.found.append((node.lineno, text))
        inner = [node]
        while inner:
            part = inner.pop()
            if isinstance(part, ast.BinOp):
                inner += [part.left, part.right]
            elif isinstance(part, ast.JoinedStr):
                for value in part.values:
                    if isinstance(value, ast.FormattedValue):
                        self.visit(value.value)
            elif not isinstance(part, ast.Constant):
                self.visit(part)

    visit_Constant = visit_JoinedStr = visit_BinOp = _text


def _split(text: str) -> Iterator[str]:
    """Yield what the page's text nodes hold of a text in HTML or Markdown."""
    if _SCRIPT.search(text):
        yield from _SCRIPT_TEXT.findall(text)
        return
    parser = _Texts()
    parser.feed(text)
    parser.close()
    for part in parser.found:
        yield from re.split(r"\*\*|`|\n|^#+ ", part)


def _is_text(text: str, whole: str, is_page: bool) -> bool:
    bare = text.replace(_INSERTED, "").strip()
    if (
        not _WORD.search(bare)
        or _STYLE.search(bare)
        or bare in _NO_TEXTS
        or _VARIABLE.fullmatch(bare)
    ):
        return False
    # A word alone may be any name; in the page's own modules one with a capital is a label.
    return " " in bare or (is_page and (bare[0].isupper() or "<" in whole))


def find_page_strings() -> dict[str, str]:
    """Return every text that can reach the page -> where the sources have it."""
    found: dict[str, str] = {}
    for path in sorted(FOUNDRY.rglob("*.py")):
        place = path.relative_to(FOUNDRY)
        if _NEVER_SHOWN & set(place.parts) or str(place) in _FOR_TERMINALS:
            continue
        strings = _Strings()
        strings.visit(ast.parse(path.read_text("utf-8")))
        for line, whole in strings.found:
            for text in _split(whole):
                if _is_text(text, whole, place.parts[0] == "ui"):
                    found.setdefault(text.replace(_INSERTED, "{}"), f"{place}:{line}")
    return found


_PLACE = re.compile(r"\{\w*(?::\w+)?\}")


def covers(template: str, text: str) -> bool:
    """Tell whether a template of the dictionary is for a text of the sources.

    What the sources insert may be written out in the template, and what they put together from
    pieces, which begin or end in the middle of a sentence, is one template.
    """
    stripped = " ".join(text.split())
    # What comes first may be a sentence of its own.
    return any(
        _fits(template, one, text) for one in {stripped, re.sub(r"^\{\} (?=[A-Z])", "", stripped)}
    )


def _fits(template: str, stripped: str, text: str) -> bool:
    pattern = ".*?".join(re.escape(part) for part in stripped.split("{}"))
    if text[0] in " ,;:(" or text[-1] in " (" or (text[0].islower() and " " in stripped):
        pattern = f".*?{pattern}.*?"
    return re.fullmatch(pattern, _PLACE.sub(_INSERTED, template)) is not None
