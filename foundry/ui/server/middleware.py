"""What happens to every request before Gradio sees it, and to every answer."""

import logging
import re
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar

from gradio.utils import get_upload_folder
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foundry.runs.cleaning import MAX_UPLOADS_BYTES, remove_oldest_files

# Where Gradio has what its build has named by a hash of the content.
_SCRIPTS = "/assets/"
_FOR_EVER = ", ".join(["public", "max-age=31536000", "immutable"])

# Spaces of all kinds and joiners are in the names of files that people bring.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_FULL = "There is no room for more files now; try again in a quarter of an hour."

_logger = logging.getLogger(__name__)


class UploadQuota:
    """Removes the oldest uploads before new ones, and takes no more than there is room for.

    Attributes:
        kept: Paths of files in the same folder that are the page's own.
    """

    kept: ClassVar[set[str]] = set()

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "POST" or "/upload" not in scope["path"]:
            await self._app(scope, receive, send)
            return
        num_bytes = 0
        try:
            folder = Path(get_upload_folder())
            num_bytes = await run_in_threadpool(remove_oldest_files, folder, kept=self.kept)
        except OSError:
            # One that another request has just removed; what is too much goes next time.
            _logger.info("Old uploads could not be removed", exc_info=True)

        async def receive_while_there_is_room() -> Message:
            nonlocal num_bytes
            message = await receive()
            num_bytes += len(message.get("body", b""))
            if num_bytes > MAX_UPLOADS_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _FULL)
            return message

        await self._app(scope, receive_while_there_is_room, send)


class SecurityHeaders:
    """Adds security headers to every response, and refuses paths with control characters.

    A browser is not to guess content types, and not to send the address to other sites.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and _CONTROL.search(str(scope["path"])):
            await PlainTextResponse("This is no address.", 400)(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
            await send(message)

        await self._app(scope, receive, send_safely)


class ImmutableAssets:
    """Lets browsers cache scripts and styles for good: their names change with their content."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_to_keep(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == HTTPStatus.OK:
                MutableHeaders(scope=message)["Cache-Control"] = _FOR_EVER
            await send(message)

        path = str(scope.get("path", "")).removeprefix(str(scope.get("root_path", "")))
        is_script = scope["type"] == "http" and path.startswith(_SCRIPTS)
        await self._app(scope, receive, send_to_keep if is_script else send)


MIDDLEWARE = [
    Middleware(SecurityHeaders),
    # The page itself: 625 kB of text become 91 kB. Level 9 would take twice the time for 1 kB less.
    Middleware(GZipMiddleware, minimum_size=10_000, compresslevel=6),
    Middleware(UploadQuota),
    Middleware(ImmutableAssets),
]
