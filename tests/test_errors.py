"""Numbers with their nouns."""

import pytest

from foundry.errors import counted


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [
        (0, "picture", "0 pictures"),
        (1, "picture", "1 picture"),
        (1_200, "picture", "1,200 pictures"),
        (1, "class", "1 class"),
        (2, "class", "2 classes"),
        (2, "photo set", "2 photo sets"),
    ],
)
def test_only_one_is_singular(number, noun, words):
    assert counted(number, noun) == words
