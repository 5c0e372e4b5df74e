"""The glossary, and that no knob of any tab is without a term of it."""

import re

import pytest

from foundry.ui import build_app
from foundry.ui.page.glossary import GLOSSARY, find_term
from foundry.ui.page.terms import glossary_html, list_knobs


@pytest.fixture(scope="module")
def app():
    return build_app("cpu")


def test_every_knob_of_the_page_has_a_term(app):
    labels = {knob.label for knob in list_knobs(app)}
    assert len(labels) > 25
    assert sorted(label for label in labels if find_term(label) is None) == []


def test_the_page_marks_every_knob_with_its_term(app):
    terms = next(block.props["terms"] for block in app.blocks.values() if block.elem_id == "terms")
    for knob in list_knobs(app):
        name = next(one for one in knob.elem_classes if one.startswith("term-"))
        assert terms[name] == [find_term(knob.label), GLOSSARY[find_term(knob.label)]]


@pytest.mark.parametrize("term", GLOSSARY)
def test_a_term_is_one_to_three_short_sentences(term):
    text = GLOSSARY[term]
    sentences = re.split(r"(?<=[.])\s+(?=[A-Z0-9])", text)
    assert 1 <= len(sentences) <= 3
    assert text.endswith(".") and len(text) < 280


def test_a_label_without_a_term_has_none():
    assert find_term("Nobody's knob") is None


def test_the_list_has_every_term_in_order():
    terms = re.findall("<dt>(.*?)</dt>", glossary_html())
    assert terms == sorted(GLOSSARY)
