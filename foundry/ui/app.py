"""The page: `build_app()` assembles the tabs, `launch()` or `mount()` serves it."""

import os
from typing import Any

import gradio as gr
from fastapi import FastAPI

from foundry.compression.runs import COMPRESSIONS
from foundry.models.machine import select_device
from foundry.photos.teaching.tuning.runs import TUNINGS
from foundry.runs.queue import RunQueue
from foundry.runs.standby import fix_runs_dir
from foundry.search.runs import SEARCHES
from foundry.training.runs import TRAININGS
from foundry.ui.about.tab import build_about_tab
from foundry.ui.about.view import CSS as ABOUT_CSS
from foundry.ui.components.clips import CLIPS
from foundry.ui.components.run_api import build_runs_api
from foundry.ui.compress.tab import build_compress_tab
from foundry.ui.draw.tab import build_draw_tab
from foundry.ui.page.event_stream import HEAD as EVENT_STREAM_HEAD
from foundry.ui.page.feedback import CSS as FEEDBACK_CSS
from foundry.ui.page.feedback import EVERY, QUIET
from foundry.ui.page.feedback import HEAD as FEEDBACK_HEAD
from foundry.ui.page.guide import CSS as GUIDE_CSS
from foundry.ui.page.guide import HEAD as GUIDE_HEAD
from foundry.ui.page.guide import build_guide
from foundry.ui.page.language import CSS as LANGUAGE_CSS
from foundry.ui.page.language import DICTIONARIES, build_head, build_language_switch
from foundry.ui.page.link_button import CSS as LINK_CSS
from foundry.ui.page.link_button import HEAD as LINK_HEAD
from foundry.ui.page.link_button import build_links
from foundry.ui.page.page import Page
from foundry.ui.page.terms import CSS as TERMS_CSS
from foundry.ui.page.terms import explain_knobs
from foundry.ui.page.theme import CSS, build_theme
from foundry.ui.page.variants import build_variant_choice, on_open
from foundry.ui.page.visitor import build_browser_state, on_arrive
from foundry.ui.photos.tab import build_photos_tab
from foundry.ui.search.tab import build_search_tab
from foundry.ui.sentiment.tab import build_sentiment_tab
from foundry.ui.server.limits import read_accounts
from foundry.ui.server.middleware import MIDDLEWARE, UploadQuota
from foundry.ui.server.queues import NUM_THREADS
from foundry.ui.server.sessions import open_lean_sessions
from foundry.ui.server.sweep import sweep_by_the_clock
from foundry.ui.server.warm_up import WarmUp
from foundry.ui.speech.tab import build_speech_tab
from foundry.ui.train.tab import build_train_tab

_TABS = (
    build_train_tab,
    build_search_tab,
    build_draw_tab,
    build_photos_tab,
    build_sentiment_tab,
    build_speech_tab,
    build_compress_tab,
    build_about_tab,
)

# An hour of CD-quality WAV.
_MAX_UPLOAD = "650mb"
_CACHE_SWEEP_S = 3600
_CACHE_AGE_S = 24 * 3600
# Handlers that wait on nobody. With 50 visitors drawing, 1, 2 and 8 at once cost the same processor
# time an answer (`python -m foundry.benchmark load`); 8 keep a slow one from holding up the others.
_CONCURRENCY = 8
# Every call of a program is a session; Gradio keeps the state of so many, the longest unused going
# first.
_MAX_SESSIONS = 1_000
_ROOT_PATH_VARIABLE = "GRADIO_ROOT_PATH"
# Gradio sums up its last 10,000 events after so many new ones, for a page that is not served: by
# default after each, in several milliseconds.
_SUMMARY_VARIABLE, _NEVER = "GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000000"
# Events that wait at once; beyond it visitors are told that the queue is full.
_MAX_QUEUE = 300


def build_app(device: str = "auto", concurrency: int = _CONCURRENCY) -> gr.Blocks:
    """Build the page, ready for `launch()`.

    Args:
        device: Where models train and run: `auto`, `cpu`, `cuda`.
        concurrency: How many calls of one handler run at once.

    Raises:
        InputError: If there is no such device here.
    """
    device = str(select_device(device))
    open_lean_sessions()
    os.environ.setdefault(_SUMMARY_VARIABLE, _NEVER)
    fix_runs_dir()
    queue = RunQueue([TRAININGS, COMPRESSIONS, SEARCHES, TUNINGS])
    with gr.Blocks(
        title="Foundry",
        analytics_enabled=False,
        delete_cache=(_CACHE_SWEEP_S, _CACHE_AGE_S),
    ) as app:
        visitor = build_browser_state("visitor")
        arrived = app.load(on_arrive, visitor, visitor, **QUIET)
        with gr.Row(elem_classes="page-head"):
            gr.Markdown("# Foundry", elem_classes="foundry-title")
            links = build_links(app)
            build_language_switch()
        links.note.render()
        variants = build_variant_choice()
        guide = build_guide()
        page = Page(
            device,
            queue,
            visitor,
            arrived,
            variants,
            links,
            guide,
            chosen_run=gr.State(("", 0.0)),
            made_run=gr.State(("", 0.0)),
            warm_ups=[],
            sweeps=[queue.mark_abandoned, queue.make_room],
        )
        with gr.Tabs(overflow_behavior="wrap") as tabs:
            for build_tab in _TABS:
                build_tab(page)
        tabs.select(on_open, None, variants.open_tab, **EVERY)
        links.connect(tabs, variants)
        guide.connect(app, variants)
        variants.connect()
        build_runs_api(queue)
        app.load(WarmUp(page.warm_ups).start, None, None, **QUIET)
        sweep_by_the_clock(page.sweeps)
        explain_knobs(app)
    _keep_example_files(app)
    return app.queue(default_concurrency_limit=concurrency, max_size=_MAX_QUEUE)


def _keep_example_files(app: gr.Blocks) -> None:
    # Gradio marks them as kept on components that are not on the page, where its sweep looks.
    made = set().union(*app.temp_file_sets)
    for block in app.blocks.values():
        if isinstance(block, gr.Dataset):
            block.keep_in_cache |= made
    UploadQuota.kept |= made


def launch(app: gr.Blocks, **options: Any) -> Any:
    """Serve the page with its look and its limits; options as `gr.Blocks.launch()` takes them."""
    return app.launch(
        max_threads=NUM_THREADS,
        state_session_capacity=_MAX_SESSIONS,
        # Else Gradio asks for its own first page, and gives up where that takes three seconds.
        _frontend=False,
        **_describe(),
        **options,
    )


def mount(app: gr.Blocks) -> FastAPI:
    """Return the page as `launch()` serves it, for another server than Gradio's own."""
    # Gradio takes these only when it launches.
    app.max_threads = app._queue.max_thread_count = NUM_THREADS
    app.state_session_capacity = _MAX_SESSIONS
    server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    root_path = os.environ.get(_ROOT_PATH_VARIABLE)
    return gr.mount_gradio_app(
        server, app, "/", root_path=root_path, show_error=False, **_describe()
    )


def _describe() -> dict[str, Any]:
    return {
        "theme": build_theme(),
        "css": CSS + LANGUAGE_CSS + GUIDE_CSS + TERMS_CSS + ABOUT_CSS + LINK_CSS + FEEDBACK_CSS,
        "head": EVENT_STREAM_HEAD + build_head() + GUIDE_HEAD + LINK_HEAD + FEEDBACK_HEAD,
        "max_file_size": _MAX_UPLOAD,
        "allowed_paths": [str(CLIPS), str(DICTIONARIES)],
        "footer_links": ["api", "settings"],
        "auth": read_accounts(),
        "enable_monitoring": False,
        "app_kwargs": {"middleware": MIDDLEWARE},
    }
