"""What strangers try on a server: files they may not read, addresses they may not reach, others."""

import http.client
import json
import os
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
from gradio_client import Client
from waiting import PATIENCE_S, wait_until

from foundry.benchmark.harness.served_app import OpenPage
from foundry.training.runs import read_run
from foundry.ui.server import middleware

VISITOR = "foundry-visitor"
SECRET = "s3cret-" + uuid.uuid4().hex
PROJECT = Path(__file__).parent.parent.parent
ROUTES = (
    "/gradio_api/file={}",
    "/gradio_api/file/{}",
    "/file={}",
    "/file/{}",
    "/static/{}",
    "/assets/{}",
    "/svelte/{}",
    "/gradio_api/custom_component/{}",
    "/gradio_api/proxy={}",
    "/gradio_api/stream/x/1/2/{}",
    "/theme.css/{}",
    "/{}",
)


def ask(app_url, path):
    """Send a path exactly as it stands; other clients tidy it up first."""
    address = urlsplit(app_url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE_S)
    connection.putrequest("GET", path, skip_host=False)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def disguises(path):
    """Write a path in the ways that have fooled servers before."""
    climbing = "../" * 12 + str(path).lstrip("/")
    yield from (str(path), climbing, f"file://{path}", f"/{path}", f"{path}%00.png")
    yield from (quote(str(path), safe=""), quote(climbing, safe=""))
    yield from (climbing.replace("../", "..%2f"), climbing.replace("../", "%2e%2e/"))
    yield from (climbing.replace("../", "....//"), climbing.replace("/", "%5c"))
    yield quote(quote(climbing, safe=""), safe="")


@pytest.fixture(scope="module")
def secret_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("outside") / "secret.txt"
    file.write_text(SECRET)
    return file


@pytest.fixture
def canary():
    """A server that nobody should ask; `asked` lists who did."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(SECRET.encode())

        do_HEAD = do_GET

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    server.asked, server.url = asked, f"http://127.0.0.1:{server.server_port}/canary"
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("route", ROUTES)
def test_no_route_reads_a_file_from_outside(app_url, secret_file, route):
    for target in (secret_file, PROJECT / "app.py", "/etc/passwd"):
        content = SECRET.encode() if target == secret_file else Path(target).read_bytes()[:40]
        for path in disguises(target):
            status, body = ask(app_url, route.format(path))
            assert status < 500, (status, path)
            assert content not in body, path


def test_the_app_fetches_nothing_for_a_stranger(app_url, canary):
    for route in ROUTES:
        for url in (canary.url, quote(canary.url, safe=""), canary.url.split(":", 1)[1]):
            assert SECRET.encode() not in ask(app_url, route.format(url))[1]
    assert canary.asked == []


def everything_said(page, event, values):
    """Trigger an event and return all that the server answers, as text."""
    try:
        return json.dumps([*page.follow(event, *values)])
    except httpx.HTTPStatusError as refused:
        assert refused.response.status_code < 500
        return refused.response.text


def file_data(path, url=None):
    return {"path": str(path), "url": url, "meta": {"_type": "gradio.FileData"}}


def test_no_event_takes_a_file_that_was_not_sent_to_it(app_url, secret_file, canary):
    """Every event of the page, named or not, is handed a path or an address in place of a file."""
    lies = [
        file_data(secret_file),
        file_data("../" * 12 + str(secret_file).lstrip("/")),
        file_data("x.png", canary.url),
        file_data(canary.url),
        file_data("x.png", f"file://{secret_file}"),
        str(secret_file),
        canary.url,
    ]
    with OpenPage(app_url) as page:
        takers = 0
        for event in page.events:
            kinds = [page.kinds[component] for component in event["inputs"]]
            for place, kind in enumerate(kinds):
                if kind not in ("file", "audio", "image"):
                    continue
                takers += 1
                for lie in lies:
                    values = [lie if at == place else None for at in range(len(kinds))]
                    assert SECRET not in everything_said(page, event, values)
    # The three endpoints, the photo, the table, the recording.
    assert takers >= 6
    assert canary.asked == []


@pytest.mark.parametrize(
    "name", ["../../evil.txt", "/etc/evil.txt", "..\\evil.txt", "a\x00b", "con"]
)
def test_an_uploads_name_does_not_say_where_it_goes(app_url, name):
    boundary = uuid.uuid4().hex
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        f"\r\nhello\r\n--{boundary}--\r\n"
    ).encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    answer = httpx.post(
        f"{app_url}gradio_api/upload", content=body, headers=headers, timeout=PATIENCE_S
    )
    assert answer.status_code < 500
    if answer.is_success:
        (path,) = answer.json()
        assert Path(path).resolve() == Path(path)
        assert Path(os.environ["GRADIO_TEMP_DIR"]) in Path(path).parents
        assert Path(path).read_text() == "hello"


@pytest.mark.parametrize("name", ["x.svg", "x.html", "x.xhtml", "x.js", "x.xml"])
def test_what_a_browser_would_run_is_only_given_back_to_save(app_url, name):
    page = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    sent = httpx.post(
        f"{app_url}gradio_api/upload", files={"files": (name, page)}, timeout=PATIENCE_S
    )
    answer = httpx.get(f"{app_url}gradio_api/file={sent.json()[0]}", timeout=PATIENCE_S)
    assert answer.headers["x-content-type-options"] == "nosniff"
    disposition = answer.headers.get("content-disposition", "")
    assert disposition.startswith("attachment") or answer.headers["content-type"].startswith(
        "text/plain"
    )


def test_every_answer_has_safe_headers(app_url):
    for path in ("", "config", "gradio_api/info", "nowhere", "theme.css"):
        headers = httpx.get(f"{app_url}{path}", timeout=PATIENCE_S).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_a_page_of_another_site_may_not_use_a_server_of_this_machine(app_url):
    headers = {"Origin": "https://evil.example"}
    answer = httpx.get(f"{app_url}config", headers=headers, timeout=PATIENCE_S)
    assert answer.headers.get("access-control-allow-origin") != "https://evil.example"


def test_nobodys_token_opens_no_ones_run(app_url):
    """Tokens of every kind, sent to the page's own events, neither stop nor show a run."""
    alice = Client(app_url, verbose=False)
    job = alice.submit(epochs=100, num_train_images=55_000, batch_size=8, api_name="/train")
    run_id = wait_until(lambda: job.outputs() and job.outputs()[-1], "a run")["run_id"]
    with OpenPage(app_url) as page:
        visitor = next(i for i, p in page.components.items() if p.get("storage_key") == VISITOR)
        events = [event for event in page.events if visitor in event["inputs"]]
        assert len(events) > 10
        for token in (None, "", [], {}, True, "session-", "\ud800"):
            for event in events:
                named = [token if i == visitor else run_id for i in event["inputs"]]
                everything_said(page, event, named)
                unnamed = [token if i == visitor else None for i in event["inputs"]]
                assert run_id not in everything_said(page, event, unnamed)
            assert read_run(run_id).status in ("running", "queued"), token
    assert alice.predict(run_id, api_name="/stop_run")["status"] == "stopped"


def test_nothing_of_gradios_workshop_is_open(app_url):
    for path in ("monitoring", "monitoring/summary", "gradio_api/profiling/traces", "dev/reload"):
        answer = httpx.get(f"{app_url}{path}", timeout=PATIENCE_S)
        assert not answer.is_success or "<title>Foundry" in answer.text, path
    for path in ("vibe-edit", "vibe-code", "run-history/connect"):
        answer = httpx.post(
            f"{app_url}gradio_api/{path}", json={"prompt": "x", "code": "x"}, timeout=PATIENCE_S
        )
        assert answer.status_code in (401, 403, 404, 405, 422), (path, answer.status_code)


def test_an_error_names_no_file_of_the_server(app_url):
    for endpoint in ("train", "classify_digit", "score_sentiment", "transcribe", "nowhere"):
        answer = httpx.post(
            f"{app_url}gradio_api/call/{endpoint}", content=b"{not json", timeout=PATIENCE_S
        )
        assert answer.status_code < 500
        assert "Traceback" not in answer.text and str(PROJECT) not in answer.text
        json.loads(answer.text)


def test_before_a_file_comes_room_is_made(app_url, monkeypatch):
    asked = []
    full = middleware.MAX_UPLOADS_BYTES - 1_000

    def remove(folder, kept):
        asked.append(folder)
        # The page's own examples are no uploads.
        assert len([path for path in kept if path.endswith(".flac")]) >= 3
        return full if len(asked) > 1 else 0

    monkeypatch.setattr(middleware, "remove_oldest_files", remove)
    httpx.get(f"{app_url}config", timeout=PATIENCE_S)
    assert asked == []
    sent = httpx.post(
        f"{app_url}gradio_api/upload", files={"files": ("a.txt", "hello")}, timeout=PATIENCE_S
    )
    assert sent.is_success
    assert asked == [Path(os.environ["GRADIO_TEMP_DIR"])]
    # And where none can be made, nothing more is taken.
    refused = httpx.post(
        f"{app_url}gradio_api/upload", files={"files": ("a.txt", "x" * 1_000)}, timeout=PATIENCE_S
    )
    assert refused.status_code == 413
    assert "no room" in refused.text
