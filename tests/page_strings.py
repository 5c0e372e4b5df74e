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
_NEVER_SHOWN = ("recipes", "benchmark", "loaders", "data")
_ERRORS = {"InputError", "ArtifactError"}
# Keyword arguments that hold names, styles or code.
_NOT_TEXT = {
    "elem_id", "elem_classes", "css_template", "js_on_load", "js", "api_name", "api_visibility",
    "variant", "size", "type", "show_progress", "trigger_mode", "style", "storage_key", "secret",
    "encoding", "prefix", "suffix", "mode", "x", "y", "color", "series", "show_progress_on",
    "color_map", "visible", "class_",
}  # fmt: skip
_ATTRIBUTES = {"title", "aria-label", "alt", "placeholder"}
_INSERTED = "\N{OBJECT REPLACEMENT CHARACTER}"
_WORD = re.compile(r"[A-Za-z]{2,}")
_CODE = re.compile(r"[=;]\s*\{|=>|^\s*--|\bvar\(|https?://")


class _Texts(HTMLParser):
    """Collects what a fragment of HTML shows: text between tags, and attributes that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in _ATTRIBUTES and value]

    def handle_data(self, data):
        self.found.append(data)


def _template(node: ast.expr) -> str | None:
    """Return a string expression as text, with `_INSERTED` for what is computed; None if no string."""
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
    parser = _Texts()
    parser.feed(text)
    parser.close()
    for part in parser.found:
        for line in re.split(r"\*\*|`|\n|^#+ ", part):
            yield " ".join(line.split())
