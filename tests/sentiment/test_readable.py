import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from foundry.sentiment.readable import make_readable


def spell(tokenizer: PreTrainedTokenizerBase, text: str) -> str:
    """What the tokenizer gets, with single spaces."""
    return " ".join(make_readable(tokenizer, [text])[0].text.split())


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("terrible😡", "terrible pouting face"),  # The name in Unicode.
        ("so 😡😡😡", "so pouting face"),
        ("👍🏽good", "thumbs up sign good"),
        ("I don’t “like” it", 'I don\'t "like" it'),
        ("Ｇｏｏｄ ｆｉｌｍ！", "Good film!"),
        ("ﬁlm ﬂaws", "film flaws"),
        ("𝐠𝐨𝐨𝐝", "good"),
        ("nothing odd - at all, 7/10", "nothing odd - at all, 7/10"),
        ("café naïve", "café naïve"),
        # Chinese has such quotes as its own; a wide mark becomes plain where it is unknown.
        ("好“好”！", "好“好”!"),
    ],
)
def test_another_spelling_of_the_same(
    tiny_tokenizer: PreTrainedTokenizerBase, text: str, read: str
) -> None:
    assert spell(tiny_tokenizer, text) == read


@example("a👩‍❤️‍👨b")
@example("ﬃ“x”")
@given(st.text(max_size=60))
def test_every_sign_comes_from_one_of_the_visitors_in_order(text: str) -> None:
    readable = make_readable(_tokenizer(), [text])[0]
    assert len(readable.text) == len(readable.origins)
    assert list(readable.origins) == sorted(readable.origins)
    assert all(0 <= origin < len(text) for origin in readable.origins)
    for place, sign in enumerate(text):
        read = "".join(
            one
            for one, origin in zip(readable.text, readable.origins, strict=True)
            if origin == place
        )
        # Letters and digits are never lost, only written plainly.
        if unicodedata.category(sign)[0] in "LN":
            assert read in (sign, unicodedata.normalize("NFKC", sign))


def _tokenizer() -> PreTrainedTokenizerBase:
    from tiny_bert import tiny_vocab
    from transformers import BertTokenizerFast

    return BertTokenizerFast(vocab=tiny_vocab(), do_lower_case=True, model_max_length=512)


def test_a_tokenizer_that_knows_every_byte_gets_emoji_as_they_are() -> None:
    letters = {sign: index for index, sign in enumerate(ByteLevel.alphabet())}
    bytewise = Tokenizer(BPE(letters, []))
    bytewise.pre_tokenizer = ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytewise, unk_token=None)
    assert spell(tokenizer, "terrible😡 ㅋㅋ é") == "terrible😡 ㅋㅋ é"


def test_a_great_many_emoji_are_set_apart_and_not_named(
    tiny_tokenizer: PreTrainedTokenizerBase,
) -> None:
    readable = make_readable(tiny_tokenizer, ["😀😡" * 40_000])[0]
    # A thousand names of at most 13 letters and two spaces, the others with two spaces.
    assert len(readable.text) <= 1_000 * 15 + 80_000 * 3
