import pytest

from foundry.ui.page.visitor import on_arrive


def test_a_new_visitor_gets_a_secret_and_a_known_one_keeps_theirs():
    first, second = on_arrive(""), on_arrive("")
    assert first != second
    assert len(first) >= 24
    assert on_arrive(first) == first


@pytest.mark.parametrize("token", [None, "mine", "session-1", "x" * 500, "\ud800" * 32, [], 3])
def test_what_is_no_token_is_replaced_by_one(token):
    assert on_arrive(token) != token
    assert len(on_arrive(token)) == 32
