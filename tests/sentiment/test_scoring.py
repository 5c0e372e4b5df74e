import copy
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_bert import tiny_config
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PreTrainedTokenizerBase,
    RobertaConfig,
    RobertaForSequenceClassification,
    XLNetConfig,
    XLNetForSequenceClassification,
    pipeline,
)

from foundry.errors import InputError
from foundry.sentiment import SentimentModel, score_text, score_texts, wrap_classifier
from foundry.sentiment.pieces import (
    MAX_CHARACTERS,
    clean_text,
    longest_input,
    split_sentences,
    split_texts,
)
from foundry.sentiment.readable import make_readable
from foundry.sentiment.scoring import BATCH_TOKENS, UNREAD


@pytest.fixture(scope="module")
def model(
    tiny_bert: BertForSequenceClassification, tiny_tokenizer: PreTrainedTokenizerBase
) -> SentimentModel:
    return wrap_classifier(tiny_bert, tiny_tokenizer)


def test_case_makes_no_difference(model: SentimentModel) -> None:
    assert score_text(model, "I LOVE IT").probs == score_text(model, "i love it").probs


def test_same_probabilities_as_the_transformers_pipeline(
    tiny_bert: BertForSequenceClassification, model: SentimentModel
) -> None:
    texts = [
        "Great.",
        "The battery lasts two days, but the screen scratches easily.",
        "I'm not sure what to think -- it isn't bad, just long. " * 8,
        "中文 and emoji 🙂 مرحبا",
    ]
    build: Any = pipeline
    classify = build("text-classification", model=tiny_bert, tokenizer=model.tokenizer)
    events = list(score_texts(model, texts))
    in_batch = {scored.index: scored.score for event in events for scored in event.finished}
    for index, text in enumerate(texts):
        # The pipeline gets what the tokenizer gets: it knows no emoji by their names.
        spelled = make_readable(model.tokenizer, [text])[0].text
        expected = {row["label"]: row["score"] for row in classify(spelled, top_k=None)}
        # Batching and padding change the order of float32 sums, nothing else.
        assert score_text(model, text).probs == pytest.approx(expected, abs=1e-5)
        scored = in_batch[index]
        assert scored is not None and scored.probs == pytest.approx(expected, abs=1e-5)


def test_same_logits_as_the_network(
    tiny_bert: BertForSequenceClassification, model: SentimentModel
) -> None:
    # Neighbours of one length, and of different ones.
    texts = ["Fine, I suppose.", "Bad film.", "Good film.", "Late word.", "Worse than the first."]
    encoded = model.tokenizer(texts, return_tensors="pt", padding=True)
    with torch.no_grad():
        expected = tiny_bert(**encoded).logits
    logits = model.predict_logits(model.tokenizer(texts)["input_ids"])
    torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("architecture", ["distilbert", "roberta"])
def test_other_networks_are_padded_and_give_their_own_logits(
    model: SentimentModel, architecture: str
) -> None:
    torch.manual_seed(0)
    network = {
        "distilbert": lambda: DistilBertForSequenceClassification(
            DistilBertConfig(vocab_size=200, dim=16, n_layers=1, n_heads=2, hidden_dim=16)
        ),
        "roberta": lambda: RobertaForSequenceClassification(
            RobertaConfig(
                vocab_size=200,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
                pad_token_id=0,
            )
        ),
    }[architecture]().eval()
    texts = [[2, 7, 9, 3], [2, 8, 3], [2, 50, 60, 70, 80, 3], [2, 9, 7, 3]]
    with torch.no_grad():
        expected = torch.cat([network(input_ids=torch.tensor([text])).logits for text in texts])
    logits = wrap_classifier(network, model.tokenizer).predict_logits(texts)
    torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)


def test_long_text_is_the_weighted_mean_of_its_pieces(model: SentimentModel) -> None:
    text = "The first half is a delight. " * 80 + "Then it falls apart completely. " * 80
    pieces = split_texts(model.tokenizer, model.max_tokens, [text.strip()])[0]
    score = score_text(model, text)
    assert score.num_pieces == len(pieces) > 1
    assert all(len(piece.input_ids) <= model.max_tokens for piece in pieces)
    weights = [piece.num_tokens for piece in pieces]
    positives = [
        model.predict_logits([piece.input_ids]).softmax(dim=1)[0, 1].item() for piece in pieces
    ]
    expected = sum(w * p for w, p in zip(weights, positives, strict=True)) / sum(weights)
    assert score.probs["positive"] == pytest.approx(expected, abs=1e-6)


def test_pieces_begin_and_end_with_sentences(model: SentimentModel) -> None:
    text = "It was late. " * 400
    pieces = split_texts(model.tokenizer, model.max_tokens, [text.strip()])[0]
    for piece in pieces:
        assert text[piece.start : piece.end].startswith("It was late.")
        assert text[piece.start : piece.end].strip().endswith("late.")
    for before, after in itertools.pairwise(pieces):
        assert before.start < after.start < before.end < after.end


# The first kind falls into many word pieces, the second is often unknown as a whole.
words = st.text("abfilms7'-", min_size=1, max_size=12) | st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Z")), min_size=1, max_size=12
).filter(lambda word: not any(map(str.isspace, word)))
separators = st.sampled_from([" ", " ", " ", ". ", "! ", "\n", "? ", ", ", "。", "...  "])


@settings(deadline=None, max_examples=60)
@given(
    parts=st.lists(st.tuples(words, separators), min_size=1, max_size=200),
    max_tokens=st.integers(40, 64),
)
def test_no_word_is_lost_in_splitting(
    model: SentimentModel, parts: list[tuple[str, str]], max_tokens: int
) -> None:
    text = "".join(word + separator for word, separator in parts)
    tokenizer = model.tokenizer
    pieces = split_texts(tokenizer, max_tokens, [text])[0]

    # Every character is in a piece, pieces move forward, and each fits.
    assert pieces[0].start == 0 and pieces[-1].end == len(text)
    for before, after in itertools.pairwise(pieces):
        assert before.start < after.start <= before.end < after.end
    assert all(len(piece.input_ids) <= max_tokens for piece in pieces)

    # The tokens of the whole text come back when the overlaps are taken out.
    rebuilt: list[int] = []
    for piece in pieces:
        content = list(piece.input_ids[1:-1])
        rebuilt += content[len(rebuilt) - piece.first_token :]
    assert rebuilt == tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]

    # A word is cut in two only if it is too long for a piece.
    position = 0
    for word, separator in parts:
        end = position + len(word)
        num_tokens = len(tokenizer(word, add_special_tokens=False)["input_ids"])
        if num_tokens <= max_tokens // 4:
            assert any(piece.start <= position and end <= piece.end for piece in pieces)
        position = end + len(separator)


@settings(deadline=None, max_examples=50)
@given(text=st.text(st.characters(), max_size=300))
def test_any_text_gives_probabilities_or_a_sentence(model: SentimentModel, text: str) -> None:
    try:
        score = score_text(model, text)
    except InputError as error:
        assert str(error).endswith(".")
    else:
        assert sum(score.probs.values()) == pytest.approx(1.0, abs=1e-5)
        assert set(score.probs) == {"negative", "positive"}


@pytest.mark.parametrize("text", ["", "  \n\t ", "\x00\x00", "\ud800"])
def test_no_text_is_a_sentence(text: str) -> None:
    with pytest.raises(InputError, match="no text yet"):
        clean_text(text)


def test_a_megabyte_is_refused_with_the_limit() -> None:
    with pytest.raises(InputError, match=f"{MAX_CHARACTERS:,}"):
        clean_text("word " * 200_000)


def test_control_characters_do_not_change_the_answer(model: SentimentModel) -> None:
    assert score_text(model, "go\x00od\x07 film") == score_text(model, "good film")


def test_control_characters_that_part_words_become_spaces() -> None:
    assert clean_text("one\ftwo\rthree\x85four\r\nfive\tsix") == "one two three four\nfive\tsix"


def test_a_model_that_knows_only_distances_reads_as_much_as_is_usual(
    tiny_tokenizer: PreTrainedTokenizerBase,
) -> None:
    assert XLNetConfig().max_position_embeddings == -1
    small = {"vocab_size": 9, "d_model": 8, "n_head": 1, "n_layer": 1, "d_inner": 8}
    network = XLNetForSequenceClassification(XLNetConfig(**small))
    tokenizer = copy.copy(tiny_tokenizer)
    tokenizer.model_max_length = 10**30
    assert longest_input(network, tokenizer) == 512


@pytest.mark.parametrize("positions", [1, 3, 15])
def test_a_model_that_reads_too_little_to_split_by_is_refused(
    tiny_tokenizer: PreTrainedTokenizerBase, positions: int
) -> None:
    small = {"vocab_size": 9, "hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    network = BertForSequenceClassification(BertConfig(**small, max_position_embeddings=positions))
    with pytest.raises(InputError, match=f"reads {positions} tokens at once, and at least 16"):
        wrap_classifier(network, tiny_tokenizer)


def test_longest_input_leaves_out_reserved_positions(
    tiny_tokenizer: PreTrainedTokenizerBase,
) -> None:
    small = {"vocab_size": 9, "hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    config = RobertaConfig(**small, max_position_embeddings=130, pad_token_id=1)
    network = RobertaForSequenceClassification(config)
    # RobertaEmbeddings: the first position is that of the padding token and one.
    assert longest_input(network, tiny_tokenizer) == 128
    network(input_ids=torch.full((1, 128), 5))
    with pytest.raises((IndexError, RuntimeError)):
        network(input_ids=torch.full((1, 129), 5))


def test_unknown_signs_are_counted(model: SentimentModel) -> None:
    # A letter of the Vai alphabet.
    score = score_text(model, "\ua500 good")
    assert (score.num_unknown, score.num_tokens, score.is_read) == (1, 2, True)
    assert score_text(model, "good").num_unknown == 0


@pytest.mark.parametrize("text", ["\ua500", "\ua500\ua501 \ua502!", "\ua500. \ua501? …"])
def test_a_text_of_unknown_words_has_no_answer(model: SentimentModel, text: str) -> None:
    score = score_text(model, text)
    assert not score.is_read
    # The probability of each of two labels when nothing is known of either.
    assert score.probs == {"negative": 0.5, "positive": 0.5}
    *_, event = score_texts(model, ["good", text])
    assert event.num_done == 2
    scored = {
        one.index: one for event in score_texts(model, ["good", text]) for one in event.finished
    }
    assert scored[1].score == score and scored[1].problem == UNREAD
    assert scored[0].problem == ""


@pytest.mark.parametrize("text", ["!!!", "\ua500 7", "\ua500 🙂"])
def test_what_the_model_knows_is_enough_for_an_answer(model: SentimentModel, text: str) -> None:
    assert score_text(model, text).is_read


def test_batch_finishes_every_text_once(model: SentimentModel) -> None:
    texts = ["Good. " * length for length in (1, 40, 3, 0, 700, 2)]
    events = list(score_texts(model, texts, batch_tokens=128))
    finished = [scored for event in events for scored in event.finished]
    assert sorted(scored.index for scored in finished) == list(range(len(texts)))
    assert events[-1].num_done == events[-1].num_texts == len(texts)
    assert [event.num_done for event in events] == sorted(event.num_done for event in events)
    by_index = {scored.index: scored for scored in finished}
    assert by_index[3].score is None and "no text" in by_index[3].problem
    long = by_index[4].score
    assert long is not None and long.num_pieces > 1
    assert long.probs == pytest.approx(score_text(model, texts[4]).probs, abs=1e-5)


def test_batch_can_be_abandoned(model: SentimentModel) -> None:
    calls = 0

    def count(texts: Sequence[Sequence[int]]) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return torch.zeros(len(texts), 2)

    counted = SentimentModel(count, model.tokenizer, model.labels)
    events = score_texts(counted, ["one two three"] * 10_000, batch_tokens=256)
    # Ten to read the texts, a thousand at a time, and three batches.
    for _ in range(13):
        next(events)
    events.close()
    assert calls == 3


def test_batches_are_full_and_waste_no_padding(model: SentimentModel) -> None:
    batches: list[list[int]] = []

    def count(texts: Sequence[Sequence[int]]) -> torch.Tensor:
        batches.append([len(text) for text in texts])
        return torch.zeros(len(texts), 2)

    texts = ["word " * (1 + index % 200) for index in range(1_000)]
    list(score_texts(SentimentModel(count, model.tokenizer, model.labels), texts))
    assert sum(map(len, batches)) == 1_000
    assert all(max(lengths) * len(lengths) <= BATCH_TOKENS for lengths in batches)
    padded = sum(max(lengths) * len(lengths) for lengths in batches)
    assert sum(map(sum, batches)) / padded > 0.95
    # Full but for the last, the next text of which would not have fitted.
    assert padded / len(batches) > 0.75 * BATCH_TOKENS


def test_the_share_done_follows_the_tokens(model: SentimentModel) -> None:
    events = list(score_texts(model, ["Good."] * 9 + ["Good. " * 90], batch_tokens=64))
    shares = [event.share for event in events]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    # [CLS] good . [SEP], nine times, against 2 * 90 + 2 tokens.
    assert events[-2].num_done == 9
    assert shares[-2] == pytest.approx(9 * 4 / (9 * 4 + 182))


def test_labels_of_the_same_name_stay_apart(model: SentimentModel) -> None:
    torch.manual_seed(0)
    network = BertForSequenceClassification(tiny_config(num_labels=3)).eval()
    network.config.id2label = {0: "good", 1: "good", 2: "bad"}
    score = score_text(wrap_classifier(network, model.tokenizer), "Good.")
    assert list(score.probs) == ["good", "good (again)", "bad"]
    assert sum(score.probs.values()) == pytest.approx(1.0, abs=1e-6)


def test_labels_that_do_not_exclude_each_other_are_refused(model: SentimentModel) -> None:
    network = BertForSequenceClassification(tiny_config())
    network.config.problem_type = "multi_label_classification"
    with pytest.raises(InputError, match="exclude"):
        wrap_classifier(network, model.tokenizer)


def test_any_number_of_labels_by_their_own_names(model: SentimentModel) -> None:
    torch.manual_seed(0)
    network = BertForSequenceClassification(tiny_config(num_labels=5)).eval()
    network.config.id2label = {stars: f"{stars + 1} stars" for stars in range(5)}
    five = wrap_classifier(network, model.tokenizer)
    score = score_text(five, "Three out of five.")
    assert list(score.probs) == ["1 stars", "2 stars", "3 stars", "4 stars", "5 stars"]
    assert sum(score.probs.values()) == pytest.approx(1.0, abs=1e-6)


def test_a_regression_model_is_refused_in_words(model: SentimentModel) -> None:
    network = BertForSequenceClassification(tiny_config(num_labels=1))
    with pytest.raises(InputError, match="single score"):
        wrap_classifier(network, model.tokenizer)


@given(st.text("ab .!?\n。”", max_size=60))
def test_sentences_have_all_letters_of_the_text_in_order(text: str) -> None:
    sentences = split_sentences(text)
    assert all(sentence == sentence.strip() and sentence.strip(".!? ”。") for sentence in sentences)
    letters = [sign for sentence in sentences for sign in sentence if sign in "ab"]
    assert letters == [sign for sign in text if sign in "ab"]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It is 3.5 cm. Good!", ["It is 3.5 cm.", "Good!"]),
        ("One\ntwo", ["One", "two"]),
        ("很好。不错！", ["很好。", "不错！"]),
        ("Wait... what?! 👍", ["Wait...", "what?!", "👍"]),
        ("“Fine.” she said", ["“Fine.”", "she said"]),
    ],
)
def test_a_text_is_split_where_sentences_end(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences
