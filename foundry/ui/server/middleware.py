"""What happens to every request before Gradio sees it, and to every answer."""

import logging
from http import HTTPStatus
from pathlib import Path

from gradio.utils import get_upload_folder
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foundry.runs.cleaning import remove_oldest_files

# Where Gradio has what its build has named by a hash of the content.
_SCRIPTS = "/assets/"
_FOR_EVER = ", ".join(["public", "max-age=31536000", "immutable"])

_logger = logging.getLogger(__name__)


class UploadQuota:
    """Removes the oldest uploads before a new one, if all together are too large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["method"] == "POST" and "/upload" in scope["path"]:
            try:
                await run_in_threadpool(remove_oldest_files, Path(get_upload_folder()))
            except OSError:
                # One that another request has just removed; what is too much goes next time.
                _logger.info("Old uploads could not be removed", exc_info=True)
        await self._app(scope, receive, send)


class SecurityHeaders:
    """Adds security headers to every response, and refuses paths with control characters.

    A browser is not to guess content types, and not to send the address to other sites.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not str(scope["path"]).isprintable():
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
