"""Every text of the page has a translation, and every translation a text."""

import re
from functools import cache
from pathlib import Path

import gradio
import pytest
from page_strings import FOUNDRY, covers, find_page_strings

from foundry.errors import counted
from foundry.ui.page.language import build_head, read_catalogue

PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# What Gradio says only when something is slow or goes wrong, by its keys.
SELDOM_SAID = [
    "queue_position",
    "waiting_for_inputs",
    "lost_connection",
    "no_device_support",
    "recording_error",
    "allow_recording_access",
    "no_microphone",
    "uploading",
    "error",
]
# And what it has in English only.
SELDOM_WRITTEN = [
    "Connection Lost",
    "Connection to the server was lost. Attempting reconnection...",
    "Connection errored out.",
    "This application is currently busy. Please try again.",
    "File(s) exceed the maximum allowed size of ",
]
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


@cache
def read_gradio(pattern):
    assets = Path(gradio.__file__).parent / "templates" / "frontend" / "assets"
    return "".join(path.read_text("utf-8") for path in assets.glob(pattern))


@pytest.mark.parametrize("key", SELDOM_SAID)
def test_what_gradio_seldom_says_is_translated(catalogue, key):
    texts = re.findall(rf"\b{key}:`([^`]+)`", read_gradio("core-*.js"))
    assert texts
    templates = {*catalogue["Gradio"], *catalogue["Foundry"]}
    assert [text for text in texts if text not in templates] == []


@pytest.mark.parametrize("text", SELDOM_WRITTEN)
def test_what_gradio_seldom_writes_is_translated(catalogue, text):
    assert text in read_gradio("*.js")
    assert any(template.startswith(text) for template in catalogue["Gradio"])


def test_a_full_queue_is_translated(catalogue):
    queueing = Path(gradio.queueing.__file__).read_text("utf-8")
    assert "Queue is full. Max size is {self.max_size} and size is {len(self)}." in queueing
    assert "Queue is full. Max size is {most} and size is {size}." in catalogue["Gradio"]


def test_gradios_own_words_are_as_gradio_has_them(catalogue):
    shipped = read_gradio("core-*.js")
    chinese = read_gradio("zh-CN-*.js")
    # The server's own words are in its sources.
    fixed = read_gradio("*.js") + Path(gradio.queueing.__file__).read_text("utf-8")
    for english, translation in catalogue["Gradio"].items():
        if key := re.search(rf"(\w+):`{re.escape(english)}`", shipped):
            assert f"`{translation}`" in chinese or f"{key[1]}:`" not in chinese, english
        else:  # In no language but English.
            assert max(PLACE.sub("\n", english).split("\n"), key=len).strip("- |") in fixed, english


def test_what_is_counted_is_translated_as_one_and_as_many(catalogue):
    sources = "\n".join(path.read_text("utf-8") for path in FOUNDRY.rglob("*.py"))
    nouns = {
        *re.findall(r"\bcounted\(.*?, [\"']([\w ]+)[\"']\)", sources),
        *re.findall(r'WaitingQueue\("([\w ]+)"', sources),
    }
    assert {"picture", "class", "photo set"} <= nouns
    forms = [counted(n, noun).replace(str(n), "{n:number}") for noun in nouns for n in (1, 2)]
    assert [form for form in forms if form not in catalogue["Composed"]] == []


def test_translations_insert_what_their_templates_take(catalogue):
    for section in catalogue.values():
        for english, translation in section.items():
            names = [name for name, _ in PLACE.findall(english)]
            # The page's script knows a place by its name.
            assert not re.search(r"\{(:\w*)?\}", english + translation), english
            assert sorted(names) == sorted(name for name, _ in PLACE.findall(translation)), english
            assert {kind for _, kind in PLACE.findall(english)} <= {"", "number", "text"}
            letters = re.search("[A-Za-z]{2}", PLACE.sub("", english))
            assert not letters or CHINESE.search(translation) or english in NAMES, english


def test_no_text_has_two_translations(catalogue):
    pairs = [pair for section in catalogue.values() for pair in section.items()]
    assert len(dict(pairs)) == len(set(pairs))


def test_nothing_in_the_address_can_end_its_script(monkeypatch):
    monkeypatch.setattr("foundry.ui.page.language.DICTIONARIES", Path("/a</script>"))
    monkeypatch.setattr("foundry.ui.page.language.read_scripts", str)
    head = build_head()
    assert head.count("</script>") == 1 and head.endswith("</script>")


def test_the_search_finds_texts_in_html_markdown_and_scripts(strings):
    assert "Draw a digit here" in strings  # In the pad's script.
    assert "What it mixes up" in strings  # After Markdown's ###.
    assert "Loudness" in strings  # An attribute.
    assert "“{}” is empty; record or upload some speech." in strings  # An error of another module.
