import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting import call_at_once, wait_until

from foundry.errors import InputError
from foundry.ui.components.clips import CLIPS
from foundry.ui.sentiment import batch as sentiment_batch
from foundry.ui.server import queues
from foundry.ui.server.queues import WaitingQueue
from foundry.ui.speech import transcribing


def test_so_many_are_let_in_the_next_wait_and_the_rest_are_turned_away():
    queue = WaitingQueue("recording", at_once=2, most_waiting=2)
    first, second, third, fourth = (queue.join() for _ in range(4))
    assert [ticket.wait(0) for ticket in (first, second, third, fourth)] == [
        True,
        True,
        False,
        False,
    ]
    assert (first.num_ahead, third.num_ahead, fourth.num_ahead) == (0, 2, 3)
    assert (first.describe(), third.describe()) == ("Yours is next.", "2 recordings before yours.")
    # Nobody has been timed yet: the guess is 10 s each, and one of two goes in at a time.
    with pytest.raises(InputError, match=r"with 2 recordings waiting.*about 15 s"):
        queue.join()
    with third:
        pass
    assert fourth.num_ahead == 2
    with first:
        pass
    assert fourth.wait(0) and fourth.num_ahead == 0


def test_the_estimate_follows_what_the_last_ones_took(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(queues.time, "monotonic", lambda: now[0])
    queue = WaitingQueue("text", at_once=1, most_waiting=1)
    for _ in range(queues._NUM_REMEMBERED):
        with queue.turn():
            now[0] += 40
    inside, waiting = queue.join(), queue.join()
    with pytest.raises(InputError, match="about 80 s"):
        queue.join()
    with inside, waiting:
        pass


@given(st.lists(st.sampled_from(["join", "leave oldest", "leave newest"]), max_size=60))
def test_whoever_comes_and_goes_nobody_is_forgotten(actions):
    queue = WaitingQueue("text", at_once=2, most_waiting=3)
    tickets = []
    for action in actions:
        if action == "join":
            try:
                tickets.append(queue.join())
            except InputError:
                assert len(tickets) == 5
        elif tickets:
            with tickets.pop(0 if action == "leave oldest" else -1):
                pass
        inside = [ticket for ticket in tickets if ticket.wait(0)]
        assert len(inside) == min(2, len(tickets))
        # First come, first served.
        assert inside == tickets[: len(inside)]


def test_a_failure_gives_the_turn_to_the_next():
    queue = WaitingQueue("text", at_once=1, most_waiting=5)
    served = []

    def fail():
        with pytest.raises(ZeroDivisionError), queue.turn():
            served.append(1 / 0)

    def work():
        with queue.turn():
            served.append("work")

    call_at_once(fail, work, work)
    assert served == ["work", "work"]


@pytest.fixture
def one_inside(monkeypatch):
    """A queue that somebody else is in, put in the place of both lines of the page."""
    queue = WaitingQueue("recording", at_once=1, most_waiting=1)
    monkeypatch.setattr(transcribing, "RECORDINGS", queue)
    monkeypatch.setattr(sentiment_batch, "TABLES", queue)
    with queue.join():
        yield queue


def test_a_recording_that_waits_says_so_and_can_be_cancelled(one_inside):
    clip = str(CLIPS / "digits.flac")
    waiting = transcribing.on_transcribe(clip, None, "beam")
    assert "1 recording before yours" in next(waiting)[0]
    refused = transcribing.on_transcribe(clip, None, "beam")
    assert "with 1 recording waiting" in next(refused)[0]
    with pytest.raises(Exception, match="with 1 recording waiting"):
        next(refused)
    waiting.close()
    again = transcribing.on_transcribe(clip, None, "beam")
    assert "Waiting" in next(again)[0]
    again.close()


def test_a_table_that_waits_can_be_cancelled_by_its_button(one_inside):
    scoring = sentiment_batch.on_score("Good.\nBad.", None, None, "bert-sentiment")
    job = next(scoring)[0]
    assert "Waiting" in next(scoring)[1]
    queues.on_cancel(job)
    wait_until(lambda: "Cancelled" in next(scoring)[1], "the end of the job")
