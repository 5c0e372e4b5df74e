"""Who is asking: a secret token kept in the browser, or the session for other programs."""

import re
import secrets

import gradio as gr

# Fixed, so that a restarted server can read what the browser kept; the token is the secret.
_STORAGE_SECRET = "foundry"
_TOKEN_BYTES = 24
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


def build_browser_state(name: str) -> gr.BrowserState:
    """Build a component that keeps a value in the browser across reloads and restarts."""
    return gr.BrowserState("", storage_key=f"foundry-{name}", secret=_STORAGE_SECRET)


def on_arrive(token: str) -> str:
    """Give a new visitor a token.

    Args:
        token: What the browser kept; empty at the first visit. What is no token of ours is
            replaced as well.
    """
    is_ours = isinstance(token, str) and _TOKEN.fullmatch(token)
    return token if is_ours else secrets.token_urlsafe(_TOKEN_BYTES)


def session_owner(request: gr.Request) -> str:
    """Return the owner of what a program starts: its client session, or this one call."""
    # Without a session all programs would be one, and see and stop one another's runs.
    return f"session-{request.session_hash or secrets.token_urlsafe(_TOKEN_BYTES)}"
