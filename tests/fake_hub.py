"""A model hub on loopback: repositories are dictionaries of file names and bytes."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from huggingface_hub import constants

COMMIT = "c0ffee" + "0" * 34


class FakeHub:
    """Serves what is in `repositories`; counts what was asked for.

    Setting `garbage` makes it answer nonsense; a cleared `gate` holds back weights of `slow`.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.requests: list[str] = []
        # The token sent with each of them.
        self.authorizations: list[str | None] = []
        self.garbage: bytes | None = None
        self.slow = ""
        self.gate = threading.Event()
        self.gate.set()

    def downloads(self, file: str) -> int:
        return sum(
            request.startswith("GET") and request.endswith(file) for request in self.requests
        )


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def reply(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def answer(self) -> None:
            hub.requests.append(f"{self.command} {self.path}")
            path = self.path.split("?")[0].strip("/")
            hub.authorizations.append(self.headers.get("authorization"))
            if hub.garbage is not None:
                self.reply(200, hub.garbage)
                return
            for repo_id, files in hub.repositories.items():
                if path in (f"api/models/{repo_id}", f"api/models/{repo_id}/revision/main"):
                    siblings = [{"rfilename": f, "size": len(data)} for f, data in files.items()]
                    info = {"id": repo_id, "sha": COMMIT, "siblings": siblings}
                    self.reply(200, json.dumps(info).encode())
                    return
                if path == f"api/models/{repo_id}/tree/{COMMIT}":
                    tree = [
                        {"type": "file", "path": f, "size": len(data), "oid": f}
                        for f, data in files.items()
                    ]
                    self.reply(200, json.dumps(tree).encode())
                    return
                prefix = f"{repo_id}/resolve/{COMMIT}/"
                if path.startswith(prefix) and (file := path.removeprefix(prefix)) in files:
                    if repo_id == hub.slow and file.endswith(".safetensors"):
                        hub.gate.wait(60)
                    etag = hashlib.sha1(files[file]).hexdigest()
                    self.reply(200, files[file], ETag=f'"{etag}"', X_Repo_Commit=COMMIT)
                    return
            self.reply(404, b"{}", X_Error_Code="RepoNotFound")

        do_GET = do_HEAD = answer

    return Handler


@contextmanager
def serve_fake_hub(cache_dir: str) -> Iterator[FakeHub]:
    """Serve a hub, and make the Hub's library use it and an empty cache for as long."""
    hub = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    # It looks so often, in seconds, whether it is to end: each test would wait half a second.
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "ENDPOINT", url)
        template = url + "/{repo_id}/resolve/{revision}/{filename}"
        patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        patch.setattr(constants, "HF_HUB_CACHE", cache_dir)
        patch.setattr(constants, "HF_HUB_OFFLINE", False)
        yield hub
    hub.gate.set()
    server.shutdown()
    server.server_close()
