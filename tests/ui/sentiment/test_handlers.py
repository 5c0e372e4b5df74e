import csv
import io
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from fake_hub import serve_fake_hub
from tiny_bert import tiny_config
from transformers import BertForSequenceClassification

from foundry.ui.components import pretrained_choice
from foundry.ui.components.variants.answers import Answered
from foundry.ui.sentiment.answered import on_answered, on_pick
from foundry.ui.sentiment.api import explain_sentiment, score_sentiment
from foundry.ui.sentiment.batch import on_file, on_score
from foundry.ui.sentiment.choice import DEFAULT_MODEL, load_sentiment_model
from foundry.ui.sentiment.sentences import on_sentences
from foundry.ui.sentiment.tab import EXAMPLE_TEXTS, on_choose, on_type, on_visit
from foundry.ui.sentiment.variants import on_compare
from foundry.ui.sentiment.what_if import on_what_if
from foundry.ui.sentiment.words import on_explain, on_pause, on_sentence, on_word
from foundry.ui.server import queues
from foundry.ui.server.queues import on_cancel

# What on_score() updates, in order.
UPDATES = ("job", "status", "histogram", "answered", "part", "download", "start", "cancel")
OBVIOUS = [
    ("I love this film, it is wonderful.", "positive"),
    ("What a fantastic little camera!", "positive"),
    ("The sound is crisp and the battery lasts for days.", "positive"),
    ("A warm, funny and moving story.", "positive"),
    ("Easily the best phone I have ever owned.", "positive"),
    ("It isn't bad at all.", "positive"),
    ("This is the worst film of the year.", "negative"),
    ("The player broke after two days and nobody helped.", "negative"),
    ("Boring, slow and far too long.", "negative"),
    ("I regret buying it.", "negative"),
    ("The plot makes no sense and the acting is awful.", "negative"),
    ("Not good.", "negative"),
    ("Ｗｏｎｄｅｒｆｕｌ ﬁlm", "positive"),
]
# Emoji are read by their names in Unicode. What they are about may be neutral.
WITH_EMOJI = [
    ("terrible😡", "negative"),
    ("I saw it yesterday 😍", "positive"),
    ("I saw it yesterday😞😞", "negative"),
    ("my phone arrived👎", "negative"),
    ("my phone arrived 👍🏽", "positive"),
]
# Of the shipped network beside its classifier, which has 384 weights and a bias for each label: the
# base's, and an embedding for each of the 69 names that are no piece there.
NUM_ENCODER_PARAMETERS = 22_713_216 + 69 * 384


@pytest.mark.parametrize("variant", ["dense", "pruned", "int8"])
def test_of_the_examples_only_the_last_is_answered_wrongly_as_the_page_says(variant):
    right = ["positive", "negative", "neutral", "negative", "positive", "positive"]
    answers = [score_sentiment(text, DEFAULT_MODEL, variant)["label"] for text in EXAMPLE_TEXTS]
    assert answers[:-1] == right[:-1]
    assert answers[-1] != right[-1]


@pytest.mark.parametrize(("text", "label"), OBVIOUS)
def test_obvious_sentences_come_out_right(text, label):
    answer = score_sentiment(text, DEFAULT_MODEL, "dense")
    probs = {row["label"]: row["confidence"] for row in answer["confidences"]}
    assert sum(probs.values()) == pytest.approx(1, abs=1e-5)
    assert max(probs, key=probs.get) == answer["label"] == label
    assert answer["num_unknown"] == 0


@pytest.mark.parametrize(("text", "label"), WITH_EMOJI)
def test_emoji_decide_which_side_has_more(text, label):
    answer = score_sentiment(text, DEFAULT_MODEL, "dense")
    probs = {row["label"]: row["confidence"] for row in answer["confidences"]}
    assert max("negative", "positive", key=probs.get) == label
    assert answer["num_unknown"] == 0


@pytest.mark.parametrize("text", ["I don't like it.", "It's \"good\", isn't it?"])
def test_curly_and_straight_quotes_are_the_same(text):
    curly = text.replace("'", "’").replace(' "', " “").replace('"', "”")
    assert curly != text
    assert score_sentiment(text, DEFAULT_MODEL, "dense") == score_sentiment(
        curly, DEFAULT_MODEL, "dense"
    )


def test_typing_shows_probabilities_and_the_time_they_took():
    answer, note, *_ = on_type("A warm and funny story.", DEFAULT_MODEL)
    assert "positive" in answer
    assert note.endswith(" ms.")


@pytest.mark.parametrize("text", ["", "   \n"])
def test_an_empty_box_says_what_to_do(text):
    answer, note, *_ = on_type(text, DEFAULT_MODEL)
    assert "as you type" in answer
    assert note == ""


def test_a_word_that_decides_pulls_most():
    answer = explain_sentiment("The film was awful.", DEFAULT_MODEL)
    assert answer["label"] == "negative"
    assert max(answer["words"], key=lambda word: word["score"])["text"] == "awful"


def test_the_pulls_sum_to_the_margin_within_the_error_shown():
    answer = explain_sentiment(
        "The first half was dull, the second half delightful.", DEFAULT_MODEL
    )
    total = sum(word["score"] for word in answer["words"])
    margin = answer["margin"] - answer["baseline_margin"]
    assert abs(total - margin) == pytest.approx(answer["completeness_error"], abs=1e-4)


def test_markup_in_a_text_is_shown_as_text():
    _, words, _, _ = on_explain("<img src=x onerror=alert(1)> wonderful", DEFAULT_MODEL)
    assert "<img" not in words
    assert "&lt;" in words


def test_a_struck_word_is_left_out_of_the_comparison_and_comes_back():
    explained, *_ = on_explain("The film was awful.", DEFAULT_MODEL)
    struck, words, comparison = on_word(explained, SimpleNamespace(word=3))
    assert struck.removed == (3,)
    assert "Without “awful”" in comparison
    restored, again, _ = on_word(struck, SimpleNamespace(word=3))
    assert restored.removed == ()
    assert again != words


def test_striking_every_word_out_leaves_a_hint():
    explained, *_ = on_explain("Awful!", DEFAULT_MODEL)
    for index in range(2):
        explained, _, comparison = on_word(explained, SimpleNamespace(word=index))
    assert "nothing is left" in comparison


@pytest.mark.parametrize("word", [-1, 99, None, "1", 1.5, [0]])
def test_a_word_that_is_not_there_changes_nothing(word):
    explained, *_ = on_explain("The film was awful.", DEFAULT_MODEL)
    updates = on_word(explained, SimpleNamespace(word=word))
    assert all(update["__type__"] == "update" and len(update) == 1 for update in updates)


def test_words_are_explained_unasked_only_if_that_is_quick():
    explained, words, _, button = on_pause("The film was awful.", DEFAULT_MODEL)
    assert explained.explanation.text == "The film was awful."
    assert "data-word" in words
    assert not button.visible
    explained, words, _, button = on_pause("The film was awful. " * 30, DEFAULT_MODEL)
    assert explained is None
    # Five tokens a sentence.
    assert "150 tokens" in words
    assert button.visible


@pytest.mark.parametrize("text", ["", " ", "x" * 200_000])
def test_what_cannot_be_explained_says_why_in_place(text):
    explained, words, comparison, button = on_pause(text, DEFAULT_MODEL)
    assert explained is None
    assert "data-word" not in words
    assert (comparison, button.visible) == ("", False)


def test_long_text_says_in_how_many_pieces_it_was_read():
    _, note, *_ = on_type("The film was fine. " * 300, DEFAULT_MODEL)
    # Five tokens a sentence; an overlap counts twice.
    assert "in 4 overlapping pieces" in note


def test_too_much_text_is_a_sentence_in_place_of_the_answer():
    answer, note, *_ = on_type("x" * 200_000, DEFAULT_MODEL)
    assert "at most 100,000" in answer
    assert note == ""


# ---- models ----


def test_a_visit_says_what_the_model_is():
    *_, about = on_visit(DEFAULT_MODEL)
    labels = load_sentiment_model(DEFAULT_MODEL)[1].labels
    # The specification: a 22.7 M-parameter BERT.
    num_parameters = NUM_ENCODER_PARAMETERS + 385 * len(labels)
    assert f"{num_parameters:,} parameters, {len(labels)} labels: {', '.join(labels)}" in about
    assert set(labels) - {"neutral"} == {"negative", "positive"}


def test_missing_weights_are_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr("foundry.models.loading.WEIGHTS_DIR", tmp_path)
    *_, about = on_visit(DEFAULT_MODEL)
    assert "model.safetensors is missing" in about


def test_a_folder_can_be_chosen(tiny_bert_dir):
    *_, last = on_choose(str(tiny_bert_dir))
    assert last[1] == str(tiny_bert_dir)
    assert "2 labels" in last[2]
    answer, *_ = on_type("a good film", str(tiny_bert_dir))
    assert "negative" in answer


def test_a_download_shows_progress(tiny_bert_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained_choice, "_REFRESH_S", 0.01)
    with serve_fake_hub(str(tmp_path)) as hub:
        files = {file.name: file.read_bytes() for file in tiny_bert_dir.iterdir()}
        hub.repositories["somebody/tiny-bert"] = files
        hub.slow = "somebody/tiny-bert"
        hub.gate.clear()
        steps = on_choose("somebody/tiny-bert")
        # The weights are held back until the page has heard of the other files.
        updates = next(updates for updates in steps if "Downloading somebody/" in updates[2])
        assert "progressbar" in updates[2]
        # The model in use stays as it is meanwhile.
        assert not isinstance(updates[1], str)
        hub.gate.set()
        *_, last = steps
    assert last[1] == "somebody/tiny-bert"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nobody/nothing", "The Hub has no model"),
        ("not/an/id", "neither a folder"),
        ("<script>", "neither a folder"),
        ("/", "no config.json"),
    ],
)
def test_a_model_that_cannot_be_used_leaves_the_shipped_one(name, sentence, tmp_path):
    with serve_fake_hub(str(tmp_path)):
        *_, (choice, active, status) = on_choose(name)
    assert (choice, active) == (DEFAULT_MODEL, DEFAULT_MODEL)
    assert sentence in status
    assert "Going on with BERT, six layers (shipped)" in status
    assert "<script>" not in status


def test_a_model_with_a_single_score_leaves_the_shipped_one(tiny_bert_dir, tmp_path):
    folder = shutil.copytree(tiny_bert_dir, tmp_path / "regression")
    BertForSequenceClassification(tiny_config(num_labels=1)).save_pretrained(folder)
    *_, (_, active, status) = on_choose(str(folder))
    assert active == DEFAULT_MODEL
    assert "single score" in status


# ---- many texts ----


def score_all(lines="", path=None, column=None, model=DEFAULT_MODEL):
    """Score to the end; the last updates under names, and the rows of the CSV while it is there."""
    for updates in on_score(lines, path, column, model):
        last = dict(zip(UPDATES, updates, strict=True))
        if isinstance(last["download"], gr.DownloadButton) and last["download"].visible:
            text = Path(last["download"].value["path"]).read_text("utf-8-sig")
            last["rows"] = list(csv.DictReader(io.StringIO(text, newline="")))
    *_, last["table"], last["note"] = on_answered(last["answered"], False)
    return last


def test_pasted_lines_are_scored_in_their_order():
    result = score_all("I love it.\n\n  The worst film.  \nWonderful!\n")
    answers = [(row["text"], row["predicted_label"]) for row in result["rows"]]
    assert answers == [
        ("I love it.", "positive"),
        ("The worst film.", "negative"),
        ("Wonderful!", "positive"),
    ]
    assert "Done" in result["status"]
    assert "3 of 3 texts" in result["status"]
    assert "Texts " in result["histogram"]
    assert (result["start"].interactive, result["cancel"].interactive) == (True, False)


def test_a_file_goes_before_the_lines_and_keeps_its_columns(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text("id,notes,review\n7,zu gut,Bad.\n8,,\n9,x,Great fun.\n")
    assert "3 rows, read as utf-8" in on_file(str(path))[1]
    assert on_file(str(path))[0].value == "review"
    result = score_all("ignored", str(path), "review")
    assert [(row["row"], row["id"], row["predicted_label"]) for row in result["rows"]] == [
        ("1", "7", "negative"),
        ("2", "8", ""),
        ("3", "9", "positive"),
    ]
    assert "no text" in result["rows"][1]["problem"]
    assert "1 could not be scored" in result["status"]


def test_scores_of_many_are_those_of_one_at_a_time():
    result = score_all("\n".join(text for text, _ in OBVIOUS))
    for row, (text, _) in zip(result["rows"], OBVIOUS, strict=True):
        answer = score_sentiment(text, DEFAULT_MODEL, "dense")
        probs = {one["label"]: one["confidence"] for one in answer["confidences"]}
        # Float32 sums in another order, and six decimals in the file.
        assert float(row["prob_positive"]) == pytest.approx(probs["positive"], abs=1e-5)


def test_the_table_shows_the_first_rows_and_the_file_has_all(tiny_bert_dir):
    result = score_all("\n".join(["good"] * 300), model=str(tiny_bert_dir))
    assert len(result["rows"]) == 300
    assert "probability of “positive”" in result["histogram"]
    assert len(result["table"].value["data"]) == 200
    assert result["note"] == "The first 200 of 300 rows; the CSV has all 300."


def test_more_than_two_labels_are_counted(tiny_bert_dir, tmp_path):
    folder = shutil.copytree(tiny_bert_dir, tmp_path / "stars")
    BertForSequenceClassification(tiny_config(num_labels=12)).save_pretrained(folder)
    result = score_all("good\nbad", model=str(folder))
    assert "likeliest label" in result["histogram"]
    # With so many labels the table has the answer alone; the file has every probability.
    assert result["table"].headers == ["row", "text", "answer"]
    assert sum(name.startswith("prob_") for name in result["rows"][0]) == 12


def test_each_sentence_has_its_own_answer_and_is_explained_when_pressed():
    text = "A warm and funny film.  But the ending was awful!\nWe left <early>."
    strip = on_sentences(text, DEFAULT_MODEL)
    alone = [on_sentences(sentence, DEFAULT_MODEL) for sentence in ("", " ", "One only.", "...!")]
    assert alone == [""] * 4
    found = re.findall(r'data-sentence="(\d)" title="(\w+): .*?>(.*?)</button>', strip)
    assert [(number, sentence) for number, _, sentence in found] == [
        ("0", "A warm and funny film."),
        ("1", "But the ending was awful!"),
        ("2", "We left &lt;early&gt;."),
    ]
    assert [label for _, label, _ in found[:2]] == ["positive", "negative"]
    assert "of the whole text, read at once" in strip
    explained, words, _, _ = on_sentence(text, DEFAULT_MODEL, "dense", SimpleNamespace(sentence=1))
    assert explained.explanation.text == "But the ending was awful!"
    assert "data-word" in words
    for number in (-1, 3, None, "1", 1.5):
        updates = on_sentence(text, DEFAULT_MODEL, "dense", SimpleNamespace(sentence=number))
        assert all(update["__type__"] == "update" and len(update) == 1 for update in updates)


def test_a_text_of_pieces_says_how_they_are_combined_and_of_too_many_sentences_so():
    assert "mean of 2 overlapping pieces" in on_sentences("so " * 600 + ". So good.", DEFAULT_MODEL)
    assert "101 sentences" in on_sentences("Good. " * 101, DEFAULT_MODEL)


def test_a_third_label_is_in_every_answer(three_label_dir):
    name, labels = str(three_label_dir), ["negative", "neutral", "positive"]
    text = "not so bad, i think"
    confidences = score_sentiment(text, name, "dense")["confidences"]
    assert {row["label"] for row in confidences} == set(labels)
    explained = explain_sentiment(text, name)
    # What is explained is the label in front.
    assert explained["label"] == confidences[0]["label"]
    answer, *_ = on_type(text, name)
    assert answer.count('class="fill ') == 3
    _, words, _, _ = on_pause(text, name)
    assert f"pulls towards {explained['label']}" in words
    result = score_all("good\nbad\nit was a long plot", model=name)
    assert "from one side to the other" in result["histogram"]
    assert result["table"].headers == ["row", "text", "answer", *labels]
    for row in result["rows"]:
        probs = {label: float(row[f"prob_{label}"]) for label in labels}
        assert sum(probs.values()) == pytest.approx(1, abs=1e-5)
        assert row["predicted_label"] == max(probs, key=probs.get)


def test_rows_are_chosen_by_answer_and_confidence_and_doubt_comes_first(three_label_dir):
    lines = ["good film", "bad", "the plot falls apart", "i think so", "a great phone", "\ua500"]
    result = score_all("\n".join(lines), model=str(three_label_dir))
    answered, rows = result["answered"], result["table"].value["data"]
    # Labels to choose from, no limit, and every row: the text without an answer last.
    labels, least, most, table, note = on_answered(answered)
    assert labels.choices == [(name, name) for name in ("negative", "neutral", "positive")]
    assert (labels.value, least, most, note) == ([], 0, 100, "")
    sure = [max(float(cell.strip("%")) for cell in row[3:6]) for row in table.value["data"][:-1]]
    assert sure == sorted(sure)
    assert table.value["data"][-1][0] == "6" and "knows no word" in table.value["data"][-1][-1]
    assert sorted(row[0] for row in table.value["data"]) == [row[0] for row in rows]
    wanted = rows[0][2]
    table, note = on_pick(answered, [wanted], 0, 100, False)
    expected = [row[:6] for row in rows if row[2] == wanted]
    assert [row[:6] for row in table.value["data"]] == expected
    assert note == f"{len(expected)} of 6 rows; the CSV has them all."
    # From above the surest to 100% there is none.
    table, note = on_pick(answered, [], max(sure) + 0.1, 100, False)
    assert not table.visible and note == "No row fits; the CSV has all 6."
    # A number that was cleared is no limit.
    assert len(on_pick(answered, None, None, None, False)[0].value["data"]) == 6


def test_before_anything_is_scored_there_is_nothing_to_choose_from():
    for updates in (on_answered(None), on_pick(None, [], 0, 100, True)):
        assert all(update["__type__"] == "update" and len(update) == 1 for update in updates)


# ---- what if ----


def test_a_changed_word_has_both_answers_side_by_side():
    page = on_what_if("The film was good.", "The film was awful.", DEFAULT_MODEL)
    assert "As written" in page and "With “awful.” in place of “good.”" in page
    assert re.findall(r"<bdi translate=.no.>(\w+)", page) == ["positive", "negative"]
    # The second has a mark where the first was, for every label.
    assert page.count('class="before"') == page.count('class="fill ') / 2
    assert "With “not”" in on_what_if("It is good.", "It is not good.", DEFAULT_MODEL)
    assert "Without “not”" in on_what_if("It is not good.", "It is good.", DEFAULT_MODEL)
    assert "As changed" in on_what_if("", "It is good.", DEFAULT_MODEL)
    assert "…” in place of" in on_what_if("good", "so " * 40, DEFAULT_MODEL)


@pytest.mark.parametrize(
    ("text", "changed", "sentence"),
    [
        ("", "", "Type over a word"),
        ("good", None, "Type over a word"),
        ("It is good.", " It is  good. ", "the text as written"),
        ("good", "The {waiter|chef", "is not closed"),
        ("good", "{a|b}" * 6, "64 texts"),
        ("good", "\ua500", "knows no word"),
        ("good", "x" * 200_000, "at most 100,000"),
    ],
)
def test_what_cannot_be_compared_says_what_to_do(text, changed, sentence):
    assert sentence in on_what_if(text, changed, DEFAULT_MODEL)


def test_slots_fill_a_table_with_the_answers_of_one_text_at_a_time(three_label_dir):
    name = str(three_label_dir)
    page = on_what_if("", "a {good|bad} {film|phone|<b>}", name)
    rows = re.findall(r"<tr>(<td.*?)</tr>", page)
    assert len(rows) == 6 and "&lt;b&gt;" in rows[2] and "<b>}" not in page
    probs = []
    for row, text in zip(rows, ("a good film", "a good phone"), strict=False):
        answer = score_sentiment(text, name, "dense")
        assert f">{answer['label']}</b>" in row
        confidences = {one["label"]: one["confidence"] for one in answer["confidences"]}
        shares = [float(share) for share in re.findall(r">([\d.]+)%</td>", row)]
        expected = [100 * confidences[label] for label in ("negative", "neutral", "positive")]
        assert shares == pytest.approx(expected, abs=0.051)
        probs.append(shares)
    assert re.search(r"These words move “\w+” most: from [\d.]+% to [\d.]+%\.", page)


def test_an_empty_choice_and_a_choice_that_cannot_be_read_are_rows_too():
    page = on_what_if("", "{good|\ua500|}", DEFAULT_MODEL)
    rows = re.findall(r"<tr>(<td.*?)</tr>", page)
    assert "positive" in rows[0] and "knows no word" in rows[1]
    assert "–" in rows[2] and "There is no text" in rows[2]
    # One answer moves nothing.
    assert "These words move" not in page


def test_cancel_keeps_what_is_done(tiny_bert_dir):
    steps = on_score("\n".join(["good film"] * 10_000), None, None, str(tiny_bert_dir))
    job = next(steps)[0]
    on_cancel(job)
    *_, last = steps
    result = dict(zip(UPDATES, last, strict=True))
    assert "Cancelled" in result["status"]
    assert "of 10,000 texts" in result["status"]
    assert result["start"].interactive
    # The job is forgotten, and cancelling it again does nothing.
    on_cancel(job)
    assert queues._cancelled == {}


def test_a_visitor_who_leaves_ends_the_job(tiny_bert_dir):
    steps = on_score("\n".join(["good film"] * 10_000), None, None, str(tiny_bert_dir))
    next(steps)
    steps.close()
    assert queues._cancelled == {}


@pytest.mark.parametrize(
    ("name", "content", "column", "sentence"),
    [
        ("a.csv", b"\x89PNG\x00\x01", "", "not a text file"),
        ("a.csv", b"id,review\n1,fine\n", "text", "no column named 'text'"),
        ("a.xlsx", b"PK\x03\x04", "", "not a CSV, TSV or TXT"),
        ("a.csv", b"", "", "is empty"),
    ],
)
def test_a_file_that_cannot_be_scored_is_a_sentence(tmp_path, name, content, column, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(gr.Error, match=sentence):
        list(on_score("", str(tmp_path / name), column, DEFAULT_MODEL))


def test_a_model_that_cannot_be_used_leaves_the_button_pressable(tiny_bert_dir):
    for name, variant in (("no/such/folder", "dense"), (str(tiny_bert_dir), "pruned")):
        *_, (_, status, *_, start, cancel) = on_score("Great", None, None, name, variant)
        assert "Failed" in status and (start.interactive, cancel.interactive) == (True, False)


@pytest.mark.parametrize("lines", ["", "  \n ", None])
def test_no_lines_are_a_sentence(lines):
    with pytest.raises(gr.Error, match="no row with text"):
        list(on_score(lines, None, None, DEFAULT_MODEL))


def test_taking_the_file_away_takes_what_was_shown_of_it_away():
    column, note, header, preview = on_file(None)
    assert not (column.visible or header.visible or preview.visible)
    assert note == ""


def test_a_file_is_shown_before_it_is_scored_and_the_visitor_says_what_its_header_is(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text("Reviews\nid,text\n1,Bad.\n\n2,Great fun.\n")
    column, found, header, preview = on_file(str(path))
    assert (column.value, header.value) == ("text", True)
    assert preview.headers == ["id", "text"]
    assert preview.value["data"] == [["1", "Bad."], ["2", "Great fun."]]
    told = found.split("\n\n")
    assert told[0].startswith("2 rows, read as utf-8")
    assert told[1:] == [
        "1 × empty row, left out (line 4).",
        "1 × row above the table, left out (line 1).",
    ]
    column, _, header, preview = on_file(str(path), False)
    assert not header.value
    assert [row[0] for row in preview.value["data"]] == ["Reviews", "id", "1", "2"]
    for updates in on_score("", str(path), column.value, DEFAULT_MODEL, "dense", False):
        last = dict(zip(UPDATES, updates, strict=True))
    assert "4 of 4 texts" in last["status"]


def test_words_that_cannot_be_read_are_counted_and_a_text_of_them_has_no_answer(tmp_path):
    # Letters of the Vai alphabet.
    unread = "\ua500 \ua501"
    answer, note, *_ = on_type(unread, DEFAULT_MODEL)
    assert "knows no word of this text" in answer
    assert "2 of them unknown" in note
    answer = score_sentiment(unread, DEFAULT_MODEL, "dense")
    num_labels = len(answer["confidences"])
    assert [row["confidence"] for row in answer["confidences"]] == [1 / num_labels] * num_labels
    assert (answer["num_tokens"], answer["num_unknown"]) == (2, 2)
    explained, words, _, _ = on_pause(unread, DEFAULT_MODEL)
    assert explained is None and "knows no word" in words
    with pytest.raises(gr.Error, match="knows no word"):
        list(on_compare(unread, DEFAULT_MODEL, "dense", Answered()))
    with pytest.raises(gr.Error, match="knows no word"):
        on_sentence(f"Great fun. {unread}.", DEFAULT_MODEL, "dense", SimpleNamespace(sentence=1))
    written = on_what_if(unread, "Great fun", DEFAULT_MODEL)
    assert "knows no word" in written and "sure" in written.split("knows no word")[1]
    assert "sure" not in written.split("knows no word")[0]
    result = score_all(f"Great fun \ua500\n{unread}\nBad")
    assert (
        "1 could not be scored, each with its reason; 3 words could not be read" in result["status"]
    )
    rows = [
        (row["predicted_label"], row["num_unknown"], row["num_pieces"]) for row in result["rows"]
    ]
    assert rows == [("positive", "1", "1"), ("", "2", "1"), ("negative", "0", "1")]
    assert "knows no word" in result["rows"][1]["problem"]


def test_a_word_that_nothing_known_is_left_without_gives_no_comparison():
    explained, *_ = on_explain("good \ua500", DEFAULT_MODEL)
    _, _, comparison = on_word(explained, SimpleNamespace(word=0))
    assert "no word is left that the model knows" in comparison
