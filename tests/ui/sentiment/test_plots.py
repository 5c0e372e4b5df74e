import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from foundry.sentiment.attribution import Explanation, WordScore
from foundry.sentiment.sides import Sides, find_sides
from foundry.ui.components.plots import status_line
from foundry.ui.sentiment import plots

EVIL = "<img src=x onerror=alert(1)> \"quoted' & more"


class Page(HTMLParser):
    """Collects what a browser would make of some HTML."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def with_class(self, name):
        return [a for _, a in self.tags if name in (a.get("class") or "").split()]


def explanation(text="I loved it, truly!", scores=(0.1, 2.0, -0.5, 0.0, 1.0, -0.1)):
    found = re.finditer(r"\w+|[^\w\s]", text)
    words = [
        WordScore(match.group(), match.start(), match.end(), score)
        for match, score in zip(found, scores, strict=True)
    ]
    return Explanation(text, tuple(words), "positive", 2.0, -0.52, 0.02, 16, 1)


def widths(page):
    return [float(re.search(r"width:([\d.]+)%", a["style"])[1]) for a in page.with_class("fill")]


def test_every_label_gets_a_bar_as_long_as_its_probability():
    page = Page(plots.answer_html({"negative": 0.2, "positive": 0.8}))
    assert widths(page) == [20, 80]
    assert page.text.startswith("positive80.0% sure")


def test_two_labels_have_the_colours_of_their_words():
    html = plots.answer_html({"negative": 0.9, "positive": 0.1})
    assert html.index("vermilion") < html.index("blue")


THREE = ["negative", "neutral", "positive"]


@pytest.mark.parametrize(
    ("probs", "headline"),
    [
        ((0.2, 0.7, 0.1), "mostly neutral70.0% sure"),
        ((0.05, 0.9, 0.05), "neutral90.0% sure"),
        ((0.6, 0.3, 0.1), "mostly negative60.0% sure"),
    ],
)
def test_of_three_labels_what_is_not_sure_is_mostly_so(probs, headline):
    page = Page(plots.answer_html(dict(zip(THREE, probs, strict=True))))
    assert page.text.startswith(headline)
    assert widths(page) == pytest.approx([100 * prob for prob in probs])
    fills = [a["class"].split()[1] for a in page.with_class("fill")]
    assert fills == ["vermilion", "green", "blue"]


def test_three_labels_of_other_names_are_like_any_three():
    html = plots.answer_html({"LABEL_0": 0.5, "LABEL_1": 0.3, "LABEL_2": 0.2})
    assert "mostly" not in html
    assert [a["class"] for a in Page(html).with_class("fill")] == ["fill blue", *["fill sky"] * 2]


@pytest.mark.parametrize(
    ("label", "colour"), [("negative", "vermilion"), ("neutral", "green"), ("positive", "blue")]
)
def test_words_pull_towards_the_label_in_front_in_its_colour(label, colour):
    shown = replace(explanation(), label=label)
    page = Page(plots.words_html(shown, THREE))
    styles = [a["style"] for tag, a in page.tags if tag == "button"]
    assert f"--foundry-{colour}) 100%" in styles[1]
    # Away from one of three is not towards any other.
    assert "--foundry" not in styles[2] and "color-subdued) 10%" in styles[2]
    assert f"pulls towards {label}" in page.text and f"pulls away from {label}" in page.text


def test_every_text_is_between_the_sides_in_the_colour_of_its_answer():
    answers = [(0.95, 0.05, 0), (0.55, 0.15, 0.3), (0.1, 0.75, 0.15), (0, 0, 1), (0, 0.04, 0.96)]
    scores = [dict(zip(THREE, probs, strict=True)) for probs in answers]
    page = Page(plots.sides_html(scores, find_sides(THREE)))
    titles = [a["title"] for tag, a in page.tags if tag == "i" and "title" in a]
    counted = {
        label: [int(t.split()[0]) for t in titles if re.search(rf" texts?: {label}$", t)]
        for label in THREE
    }
    # A column is a tenth wide, from -1: -0.95, -0.25; 0.05; 1, 0.96.
    assert counted["negative"] == [1, *[0] * 6, 1, *[0] * 12]
    assert counted["neutral"] == [*[0] * 10, 1, *[0] * 9]
    assert counted["positive"] == [*[0] * 19, 2]
    assert "negative 2" in page.text and "neutral 1" in page.text and "positive 2" in page.text
    assert Page(plots.sides_html([], find_sides(THREE))).with_class("columns")


def test_sides_are_found_by_their_names_alone():
    found = find_sides(["Positive", "NEUTRAL", "negative"])
    assert (found.negative, found.neutral, found.positive) == ("negative", "NEUTRAL", "Positive")
    for labels in (["negative", "positive"], ["a", "b", "c"], [*THREE, "mixed"], ["1 star"] * 3):
        assert find_sides(labels) is None


def test_five_labels_stay_in_the_order_of_the_model():
    page = Page(plots.answer_html({f"{n} stars": n / 15 for n in range(1, 6)}))
    assert [a["title"] for a in page.with_class("name")] == [f"{n} stars" for n in range(1, 6)]


def test_of_many_labels_the_likeliest_are_drawn_and_the_rest_added_up():
    probs = {f"label {n}": 0.5 / 149 for n in range(149)} | {"this one": 0.5}
    page = Page(plots.answer_html(probs))
    assert len(widths(page)) == 10
    assert page.text.startswith("this one")
    # 140 of the 149 small ones.
    assert f"Not shown: 140 labels with {140 * 0.5 / 149:.1%} in all." in page.text


def test_a_comparison_marks_where_the_bars_were():
    page = Page(plots.answer_html({"a": 0.3, "b": 0.7}, "Without “x”", before={"a": 0.9, "b": 0.1}))
    marks = [a["style"] for a in page.with_class("before")]
    assert marks == ["left:90.00%", "left:10.00%"]
    assert "as written: a, 90.0%" in page.text
    assert "was 10.0%" in page.text


def test_labels_are_shown_as_text():
    for html in (
        plots.answer_html({EVIL: 0.4, "b": 0.6}, EVIL, {EVIL: 0.6, "b": 0.4}),
        plots.histogram_html([0.5], EVIL),
        plots.label_counts_html([EVIL], [EVIL]),
        plots.sides_html([{EVIL: 1.0, "b": 0.0, "c": 0.0}], Sides("b", "c", EVIL)),
        status_line(EVIL, EVIL, 0.5),
        plots.hint(EVIL),
    ):
        page = Page(html)
        assert "img" not in [tag for tag, _ in page.tags]
        assert EVIL in page.text


def test_the_words_read_as_the_text_does():
    text = "I  loved\n it, truly!"
    page = Page(plots.words_html(explanation(text), ["negative", "positive"]))
    assert page.text.startswith(text)


def test_words_are_coloured_by_direction_and_strength():
    page = Page(plots.words_html(explanation(), ["negative", "positive"]))
    styles = [a["style"] for tag, a in page.tags if tag == "button"]
    assert "blue) 5%" in styles[0]
    assert "blue) 100%" in styles[1]
    assert "vermilion) 25%" in styles[2]


def test_words_struck_out_are_pressed():
    page = Page(plots.words_html(explanation(), ["negative", "positive"], removed={1, 4}))
    pressed = [a["aria-pressed"] for tag, a in page.tags if tag == "button"]
    assert [index for index, state in enumerate(pressed) if state == "true"] == [1, 4]


def test_the_legend_names_both_labels_or_the_one_explained():
    two = Page(plots.words_html(explanation(), ["negative", "positive"])).text
    assert "pulls towards positive" in two
    assert "pulls towards negative" in two
    many = Page(plots.words_html(explanation(), ["1", "2", "positive"])).text
    assert "pulls away from positive" in many


def test_the_completeness_error_is_stated():
    text = Page(plots.words_html(explanation(), ["negative", "positive"])).text
    # By hand: 0.1 + 2 - 0.5 + 0 + 1 - 0.1, and 2 - -0.52.
    assert "add up to +2.50" in text
    assert "moves by +2.52" in text
    assert "Completeness error 0.020" in text


def test_a_text_whose_words_pull_nowhere_is_drawn_too():
    html = plots.words_html(explanation(scores=[0.0] * 6), ["negative", "positive"])
    assert Page(html).text.startswith("I loved it")


def test_markup_in_words_is_shown_as_text():
    text = "<b>&amp;</b>"
    found = [WordScore(text, 0, len(text), 1.0)]
    shown = Explanation(text, tuple(found), EVIL, 1.0, 0.0, 0.0, 16, 1)
    page = Page(plots.words_html(shown, [EVIL, "other"]))
    assert page.text.startswith(text)
    assert not {"b", "img"} & {tag for tag, _ in page.tags}


def test_every_probability_is_in_a_column_of_the_histogram():
    page = Page(plots.histogram_html([0.0, 0.01, 0.5, 0.999, 1.0], "positive"))
    titles = [a["title"] for a in page.with_class("low") + page.with_class("high")]
    counts = [int(title.split()[0]) for title in titles]
    assert len(counts) == 20
    assert sum(counts) == 5
    # Two in the first column, one at the start of the upper half, two in the last.
    assert (counts[0], counts[10], counts[19]) == (2, 1, 2)


def test_nothing_scored_yet_is_an_empty_histogram():
    assert Page(plots.histogram_html([], "positive")).with_class("columns")
    assert "0" in Page(plots.label_counts_html([], ["a", "b", "c"])).text


def test_labels_are_counted_most_frequent_first():
    page = Page(plots.label_counts_html(["b", "b", "c"], ["a", "b", "c"]))
    assert [a["title"] for a in page.with_class("name")] == ["b", "c", "a"]


@pytest.mark.parametrize(("share", "value"), [(0.0, "0"), (0.256, "26"), (1.0, "100")])
def test_progress_is_told_to_screen_readers(share, value):
    page = Page(status_line("Scoring", "facts", share))
    bar = next(a for _, a in page.tags if a.get("role") == "progressbar")
    assert bar["aria-valuenow"] == value


def test_a_status_without_progress_has_no_bar():
    assert "progressbar" not in status_line("Ready", "facts")
