import json
import re

import pytest

from foundry.benchmark.readme import (
    FIGURES_FILE,
    README_FILE,
    _megabytes,
    _points,
    render_readme,
    replace_table,
)


def test_the_readme_shows_what_was_measured():
    """Nobody has changed a figure by hand, nor measured and forgotten to show it."""
    text = README_FILE.read_text()
    assert text == render_readme(text, json.loads(FIGURES_FILE.read_text()))


@pytest.mark.parametrize(
    ("loss", "words"),
    [(0.0012, "0.12 points lost"), (-0.0005, "0.05 points gained"), (1e-9, "nothing lost")],
)
def test_losses_are_told_in_points(loss, words):
    assert _points(loss) == words


@pytest.mark.parametrize(("size", "words"), [(66_400, "66 kB"), (11_049_000, "11.0 MB")])
def test_sizes_are_told_in_bytes_of_a_sensible_unit(size, words):
    assert _megabytes({"size_bytes": size}) == words


def test_only_what_is_between_the_marks_is_replaced():
    text = "before\n<!-- x: begin -->\nold\n<!-- x: end -->\nafter\n"
    new = "before\n<!-- x: begin -->\n\nnew\n<!-- x: end -->\nafter\n"
    assert replace_table(text, "x", "new") == new
    assert replace_table(replace_table(text, "x", "y"), "x", "new") == new


def test_every_figure_names_the_command_that_gives_it():
    rows = re.findall(r"^\| .* \| `(\w+)` \|$", README_FILE.read_text(), re.MULTILINE)
    assert {"training", "speech", "compression", "search", "serve", "startup", "load"} <= set(rows)
