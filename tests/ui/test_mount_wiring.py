"""The page in another server than Gradio's own is the page that `launch()` serves."""

import gradio as gr
import pytest
from starlette.testclient import TestClient

from foundry.ui import launch, mount

LAUNCHED = (
    "max_threads state_session_capacity max_file_size allowed_paths blocked_paths css head "
    "footer_links auth auth_message enable_monitoring show_error root_path run_history pwa "
    "ssr_mode favicon_path mcp_server"
)


def build():
    with gr.Blocks(analytics_enabled=False) as app:
        gr.Markdown("Hello")
    return app.queue()


@pytest.mark.parametrize("accounts", ["", "ada:secret"])
def test_a_mounted_page_has_all_that_a_launched_one_has(monkeypatch, accounts):
    monkeypatch.setenv("FOUNDRY_AUTH", accounts)
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/foundry")
    launched, mounted = build(), build()
    launch(launched, prevent_thread_lock=True, quiet=True)
    try:
        mount(mounted)
        for name in LAUNCHED.split():
            assert getattr(mounted, name) == getattr(launched, name), name
        assert mounted._queue.max_thread_count == launched._queue.max_thread_count
        assert mounted.theme_hash == launched.theme_hash
    finally:
        launched.close()


def test_a_mounted_page_answers_with_its_limits():
    with TestClient(mount(build())) as browser:
        page = browser.get("/")
        assert page.status_code == 200
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert browser.get("/%01").status_code == 400
        # A screenshot of macOS has such a space in its name, a Chinese file that one.
        assert browser.get("/a%E2%80%AFb%E3%80%80c").status_code == 404
        # Of the page itself, not of the server around it.
        assert "/config" in browser.get("/openapi.json").json()["paths"]
