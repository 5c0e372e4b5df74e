from dataclasses import asdict, replace
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st
from readmes import PROJECT, find_rows

from foundry.compression.config import CompressConfig
from foundry.training import TrainConfig
from foundry.training.config import LIMITS
from foundry.ui import build_app
from foundry.ui.components.clips import CLIPS
from foundry.ui.compress import link as compress_link
from foundry.ui.draw import link as draw_link
from foundry.ui.page import links
from foundry.ui.page.link_button import LinkedTab, Links, on_copy, on_fill, on_open_link
from foundry.ui.page.links import build_reader
from foundry.ui.sentiment import link as sentiment_link
from foundry.ui.sentiment.link import MAX_TEXT
from foundry.ui.speech import link as speech_link
from foundry.ui.train import link as train_link

READERS = {
    "train": train_link.read_settings,
    "search": build_reader(),
    "draw": draw_link.read_settings,
    "photos": build_reader(),
    "sentiment": sentiment_link.read_settings,
    "speech": speech_link.read_settings,
    "compress": compress_link.read_settings,
    "about": build_reader(),
}
TABS = tuple(READERS)
LINKED = {tab: LinkedTab(read, {}, [None]) for tab, read in READERS.items()}

VARIANTS = st.sampled_from(["dense", "pruned", "int8", "pruned-int8"])
WHOLE = {name for name, value in asdict(TrainConfig()).items() if isinstance(value, int)}


def number(name):
    lowest, highest = LIMITS[name]
    if name in WHOLE:
        return st.integers(int(lowest), int(highest))
    return st.floats(lowest, highest)


TRAIN = st.builds(
    TrainConfig,
    model=st.sampled_from(["lenet", "cnn"]),
    optimizer=st.sampled_from(["adam", "adamw", "sgd"]),
    schedule=st.sampled_from(["constant", "one-cycle"]),
    **{name: number(name) for name in LIMITS},
).map(asdict)
PRUNABLE = st.builds(
    CompressConfig,
    pruning_ratio=st.floats(0, 0.95),
    weight_bits=st.sampled_from([8, 32]),
    sparsity=st.floats(0, 1),
    scope=st.sampled_from(["global", "per layer"]),
    recovery_epochs=st.integers(0, 20),
)
PRETRAINED = PRUNABLE.map(
    lambda config: replace(config, model="bert-sentiment", pruning_ratio=0.0, sparsity=0.0)
)
SENTIMENT = st.fixed_dictionaries(
    {
        # What an address cannot hold is no text that a page can have.
        "text": st.text(st.characters(exclude_categories=["Cs"]), max_size=100),
        "model": st.just("bert-sentiment"),
    }
)
SPEECH = st.fixed_dictionaries(
    {
        "clip": st.sampled_from(["", "digits", "commands", "sentence"]),
        "model": st.just("wav2vec2-commands"),
        "decoding": st.sampled_from(["beam", "greedy"]),
    }
)
VIEWS = st.one_of(
    st.tuples(st.just("train"), TRAIN),
    st.tuples(st.just("draw"), st.just({"model": "lenet"})),
    st.tuples(st.just("sentiment"), SENTIMENT),
    st.tuples(st.just("speech"), SPEECH),
    st.tuples(st.just("compress"), (PRUNABLE | PRETRAINED).map(asdict)),
)


def read_link(query):
    return links.read_link(query, READERS)


def write_link(tab, variant, settings):
    return links.write_link(tab, variant, settings, READERS[tab])


def describe_ignored(names):
    return links.describe_ignored(names, READERS.values())


def parse(query):
    return dict(parse_qsl(query, keep_blank_values=True))


def visit(query):
    return SimpleNamespace(query_params=parse(query))


@given(VIEWS, VARIANTS)
def test_what_is_written_is_read_again(view, variant):
    tab, settings = view
    query, left_out = write_link(tab, variant, settings)
    read = read_link(parse(query))
    assert (read.tab, read.variant, read.settings) == (tab, variant, settings)
    assert read.ignored == left_out == ()


NAMES = st.sampled_from([*asdict(TrainConfig()), *asdict(CompressConfig()), "text", "clip"])


@given(
    st.sampled_from(TABS),
    st.dictionaries(NAMES, st.sampled_from(["nan", "-1", "1e999", "../../etc/passwd", "9" * 5000])),
)
def test_garbage_is_answered_by_defaults(tab, garbage):
    read = read_link({"tab": tab} | garbage)
    accepted = {name: garbage[name] for name in garbage if name not in read.ignored}
    # Some of it is a text like any other, or a number within limits.
    assert read_link({"tab": tab} | accepted).settings == read.settings
    if not accepted:
        assert read.settings == read_link({"tab": tab}).settings


@given(st.dictionaries(st.text(), st.text()))
def test_no_address_at_all_breaks_anything(query):
    read = read_link(query)
    assert read.tab in ("", *TABS)
    assert "<" not in describe_ignored(read.ignored)


@pytest.mark.parametrize(
    ("query", "ignored"),
    [
        ("tab=nowhere", "tab"),
        ("tab=draw&variant=tiny", "variant"),
        ("tab=train&epochs=1000", "epochs"),
        ("tab=train&epochs=2.5", "epochs"),
        ("tab=speech&clip=../clips/digits", "clip"),
        ("tab=speech&model=/etc", "model"),
        ("tab=sentiment&model=somebody/some-model", "model"),
        ("tab=compress&model=bert-sentiment&pruning_ratio=0.5", "pruning_ratio"),
        (f"tab=sentiment&text={'a' * (MAX_TEXT + 1)}", "text"),
    ],
)
def test_what_is_not_accepted_is_named(query, ignored):
    read = read_link(parse(query))
    assert read.ignored == (ignored,)
    assert f"Ignored in this link: {ignored}." == describe_ignored(read.ignored)


def test_only_names_of_ours_are_repeated():
    read = read_link({"tab": "draw", "<b>buy</b>": "1", "__theme": "dark", "utm_source": "x"})
    assert "what this page does not know" in describe_ignored(read.ignored)
    assert len(read.ignored) == 1


def test_no_model_of_the_list_is_downloaded_by_a_link(monkeypatch):
    monkeypatch.setattr(
        "foundry.ui.components.pretrained_choice.find_downloaded", lambda name: None
    )
    read = read_link({"tab": "speech", "model": "facebook/wav2vec2-base-960h"})
    assert read.settings["model"] == "wav2vec2-commands"
    assert read.ignored == ("model",)


def test_a_link_to_a_model_without_a_word_list_asks_for_no_beam_search(monkeypatch, tmp_path):
    for module in ("components.pretrained_choice", "speech.model"):
        monkeypatch.setattr(f"foundry.ui.{module}.find_downloaded", lambda name: tmp_path)
    query = {"tab": "speech", "model": "facebook/wav2vec2-base-960h"}
    read = read_link(query)
    assert (read.settings["decoding"], read.ignored) == ("greedy", ())
    assert read_link(query | {"decoding": "beam"}).ignored == ("decoding",)
    written, _ = write_link("speech", "dense", read.settings)
    assert read_link(dict(parse_qsl(written))).settings == read.settings
    (tmp_path / "bigram.json").touch()
    assert read_link(query).settings["decoding"] == "beam"


def test_a_short_link_for_a_small_change():
    assert write_link("train", "dense", asdict(TrainConfig(epochs=5))) == ("tab=train&epochs=5", ())


def test_a_link_to_a_tab_alone_opens_it_as_a_visit_does(monkeypatch):
    offered = {}
    monkeypatch.setattr(Links, "connect", lambda self, *args: offered.update(self.tabs))
    build_app("cpu")
    assert set(offered) == {*READERS, "search"}
    for tab, linked in offered.items():
        settings, _ = linked.read({})
        rendered = dict(zip(linked.outputs, linked.render(settings), strict=True))
        for component in linked.inputs.values():
            # What is empty at first holds no value yet.
            if component in rendered and component.value is not None:
                filled = getattr(rendered[component], "value", rendered[component])
                assert filled == component.value, (tab, component.label)


def test_opening_chooses_tab_and_variant():
    tabs, label, variant, said = on_open_link(LINKED, visit("tab=draw&variant=int8"))
    assert (tabs.selected, label, variant) == ("draw", "Draw", "int8")
    assert said == ""


def test_only_the_tab_of_the_link_is_filled():
    tabs = {
        "draw": LinkedTab(draw_link.read_settings, {}, [None], dict.items),
        "speech": LinkedTab(speech_link.read_settings, {}, [None] * 4, dict.items),
    }
    assert dict(on_fill(tabs, "draw", visit("tab=draw"))) == {"model": "lenet"}
    assert on_fill(tabs, "speech", visit("tab=draw")) == [gr.skip()] * 4
    assert on_fill(tabs, "draw", visit("")) == [gr.skip()]


def test_an_example_is_copied_by_its_name_and_a_recording_is_not(tmp_path):
    speech = LinkedTab(
        speech_link.read_settings,
        {"clip": None, "decoding": None},
        write=speech_link.write_settings,
    )
    tabs = {"speech": speech, "draw": LinkedTab(draw_link.read_settings, {"model": None})}
    copy = tmp_path / "audio.flac"
    copy.write_bytes((CLIPS / "commands.flac").read_bytes())
    query, left_out = on_copy(tabs, "speech", "dense", str(copy), "greedy", "lenet")
    assert query == "tab=speech&clip=commands&decoding=greedy"
    assert left_out == ""
    copy.write_bytes(b"a recording")
    query, left_out = on_copy(tabs, "speech", "dense", str(copy), "beam", "lenet")
    assert query == "tab=speech"
    assert "clip" in left_out


def test_the_links_of_the_readme_open_what_it_says():
    shown = find_rows(PROJECT / "foundry" / "ui" / "README.md", r"`/\?tab=.*`")
    assert shown
    for link, opens in shown:
        view = links.read_link(dict(parse_qsl(urlsplit(link.strip("`")).query)), READERS)
        assert view.ignored == ()
        assert opens.lower().startswith(view.tab) and view.tab
    assert any(f"up to {MAX_TEXT:,} characters" in opens for _, opens in shown)
