"""Every text of the page has a translation, and every translation a text."""

import json
import re
from pathlib import Path

import gradio
import pytest
from page_strings import FOUNDRY, covers, find_page_strings

from foundry.ui.language import build_head, read_catalogue

PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# The same in both languages, or without words.
NAMES = {
    "Foundry",
    "{n} GB",
    "epsilon",
    "Dropout",
    "{done} of {total} …",
    "{done} of {total} … {words}",
}


@pytest.fixture(scope="module")
def catalogue():
    return read_catalogue("zh")


@pytest.fixture(scope="module")
def strings():
    return find_page_strings()


def test_every_text_of_the_page_is_translated(catalogue, strings):
    templates = [*catalogue["Foundry"], *catalogue["Composed"]]
    known = set(templates)
    missing = {
        text: place
        for text, place in strings.items()
        if text.strip() not in known and not any(covers(one, text) for one in templates)
    }
    assert missing == {}, "Add these to foundry/ui/languages/zh.json."


def test_every_translation_is_of_a_text_of_the_page(catalogue, strings):
    sources = "\n".join(path.read_text("utf-8") for path in FOUNDRY.rglob("*.py"))
    unused = [
        template
        for template in catalogue["Foundry"]
        # Single words, such as the names of figures, are too short to be told from code.
        if f'"{template}"' not in sources and not any(covers(template, text) for text in strings)
    ]
    assert unused == [], "Nothing shows these; remove them from foundry/ui/languages/zh.json."


def test_what_is_put_together_at_run_time_is_made_of_words_of_the_sources(catalogue):
    sources = "\n".join(path.read_text("utf-8") for path in FOUNDRY.rglob("*.py")).lower()
    for template in catalogue["Composed"]:
        for word in re.findall(r"[a-z_]{2,}", PLACE.sub("", template.lower())):
            assert word in sources or word.removesuffix("s") in sources, template


def test_gradios_own_words_are_as_gradio_has_them(catalogue):
    assets = Path(gradio.__file__).parent / "templates" / "frontend" / "assets"
    shipped = "".join(path.read_text("utf-8") for path in assets.glob("core-*.js"))
    chinese = "".join(path.read_text("utf-8") for path in assets.glob("zh-CN-*.js"))
    fixed = "".join(path.read_text("utf-8") for path in assets.glob("*.js"))
    for english, translation in catalogue["Gradio"].items():
        if key := re.search(rf"(\w+):`{re.escape(english)}`", shipped):
            assert f"`{translation}`" in chinese or f"{key[1]}:`" not in chinese, english
        else:  # In no language but English.
            assert max(PLACE.sub("\n", english).split("\n"), key=len).strip("- |") in fixed, english


def test_translations_insert_what_their_templates_take(catalogue):
    for section in catalogue.values():
        for english, translation in section.items():
            names = [name for name, _ in PLACE.findall(english)]
            assert sorted(names) == sorted(name for name, _ in PLACE.findall(translation)), english
            assert {kind for _, kind in PLACE.findall(english)} <= {"", "number", "text"}
            letters = re.search("[A-Za-z]{2}", PLACE.sub("", english))
            assert not letters or CHINESE.search(translation) or english in NAMES, english


def test_no_text_has_two_translations(catalogue):
    pairs = [pair for section in catalogue.values() for pair in section.items()]
    assert len(dict(pairs)) == len(set(pairs))


def test_nothing_in_the_dictionary_can_end_its_script(monkeypatch):
    evil = {"Foundry": {"a": "</script><img>"}, "Composed": {}, "Gradio": {}}
    monkeypatch.setattr("foundry.ui.language.read_catalogue", lambda name: evil)
    head = build_head()
    assert head.count("</script>") == 1 and head.endswith("</script>")
    assert json.dumps("\\u003c/script>")[1:-1].replace("\\\\", "\\") in head


def test_the_search_finds_texts_in_html_markdown_and_scripts(strings):
    assert "Draw a digit here" in strings  # In the pad's script.
    assert "What it confuses" in strings  # After Markdown's ###.
    assert "Loudness" in strings  # An attribute.
    assert "“{}” is empty; record or upload some speech." in strings  # An error of another module.
