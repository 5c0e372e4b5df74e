"""Who is asking: a secret token kept in the browser, or the session for other programs."""

import secrets

import gradio as gr

# Fixed, so that a restarted server can read what the browser kept; the token is the secret.
_STORAGE_SECRET = "foundry"


def build_browser_state(name: str) -> gr.BrowserState:
    """Build a component that keeps a value in the browser across reloads and restarts."""
    return gr.BrowserState("", storage_key=f"foundry-{name}", secret=_STORAGE_SECRET)


def on_arrive(token: str) -> str:
    """Give a new visitor a token.

    Args:
        token: What the browser kept; empty at the first visit.
    """
    return token or secrets.token_urlsafe(24)


def session_owner(request: gr.Request) -> str:
    """Return the owner of what a program starts: its client session."""
    return f"session-{request.session_hash}"
