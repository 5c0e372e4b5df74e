"""A page whose event stream comes late and in pieces: no answer is lost, and no page is stuck."""

import asyncio
import random

import gradio as gr
import pytest
from playwright.sync_api import expect
from starlette.middleware import Middleware
from waiting import wait_until

from foundry.ui.page.event_stream import HEAD

pytestmark = pytest.mark.browser

_MAX_DELAY_S = 0.5
_NUM_PAGES, _NUM_QUESTIONS = 10, 20
# Asks when it has an answer, at once or while the end of the stream is on its way.
ASK = """async ([numQuestions, maxDelay]) => {
  const button = document.querySelector('#count');
  const answer = document.querySelector('#answer input');
  for (let number = 1; number <= numQuestions; number++) {
    button.click();
    const asked = performance.now();
    while (answer.value !== String(number)) {
      if (performance.now() - asked > 60_000)
        return `stuck at ${number} with ${answer.value}, asked ${window.numAsked}`;
      await new Promise((done) => setTimeout(done, 20));
    }
    await new Promise((done) => setTimeout(done, Math.random() * maxDelay));
  }
  return 'answered';
}"""


# Told apart in a failure: a question that never left the page, and one that nobody answered.
COUNT_QUESTIONS = """<script>(() => {
  const send = window.fetch.bind(window);
  window.numAsked = 0;
  window.fetch = (...request) => {
    const address = String(request[0].url ?? request[0]);
    window.numAsked += address.includes('/queue/join');
    return send(...request);
  };
})();</script>"""


class LateStream:
    """Lets every piece of an event stream wait for a random while, or breaks all streams off."""

    num_open = 0
    is_broken = False

    def __init__(self, app):
        self._app = app
        self._random = random.Random(0)

    async def __call__(self, scope, receive, send):
        async def send_late(message):
            if message["type"] == "http.response.body":
                if LateStream.is_broken:
                    message = {"type": "http.response.body", "body": b"", "more_body": False}
                await asyncio.sleep(self._random.uniform(0, _MAX_DELAY_S))
            await send(message)

        if scope["type"] != "http" or not scope["path"].endswith("/queue/data"):
            await self._app(scope, receive, send)
            return
        LateStream.num_open += 1
        try:
            await self._app(scope, receive, send_late)
        finally:
            LateStream.num_open -= 1


@pytest.fixture(scope="module")
def late_url():
    with gr.Blocks() as app:
        button = gr.Button("Count", elem_id="count")
        answer = gr.Number(0, elem_id="answer", label="Answer")
        # A press is never dropped, as it is by default while an answer is being drawn.
        button.click(
            lambda number: number + 1,
            answer,
            answer,
            show_progress="hidden",
            trigger_mode="multiple",
        )
    app.queue(default_concurrency_limit=_NUM_PAGES)
    app.launch(
        prevent_thread_lock=True,
        quiet=True,
        head=COUNT_QUESTIONS + HEAD,
        app_kwargs={"middleware": [Middleware(LateStream)]},
    )
    yield app.local_url
    app.close()


def test_no_page_is_stuck_where_every_piece_of_the_stream_is_late(new_context, late_url):
    pages = [new_context().new_page() for _ in range(_NUM_PAGES)]
    for page in pages:
        page.goto(late_url)
        page.locator("#count").wait_for()
        page.locator("#answer input").wait_for()
        # All at once: what takes time is waiting.
        page.evaluate(f"settings => {{ window.ended = ({ASK})(settings); }}", [_NUM_QUESTIONS, 600])
    assert [page.evaluate("window.ended") for page in pages] == ["answered"] * _NUM_PAGES
    # And none is listened to for ever.
    wait_until(lambda: not LateStream.num_open, "the streams to end")


def test_a_stream_that_breaks_off_is_told_to_the_visitor(new_context, late_url):
    page = new_context().new_page()
    page.goto(late_url)
    page.locator("#answer input").wait_for()
    LateStream.is_broken = True
    try:
        page.locator("#count").click()
        expect(page.get_by_text("Connection to the server was lost")).to_be_visible()
    finally:
        LateStream.is_broken = False
