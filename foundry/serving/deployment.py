"""The app on several machines: `serve run foundry.serving.deployment:app`, with Ray Serve.

The page is one replica that asks one deployment for each model and variant; these scale, each
by itself, from none to as many as the cluster has cores for.
"""

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import FastAPI
from ray import serve

from foundry.compression.config import TASKS
from foundry.models import (
    VARIANTS,
    Variant,
    available_models,
    available_variants,
    load_predictor,
    load_pretrained,
)
from foundry.models.loading import ModelSpec
from foundry.models.remote import RemotePredictor, answer_elsewhere
from foundry.models.runtime import Predictor, expect_waiting
from foundry.runs.cleaning import make_downloads_folder
from foundry.serving.replica import (
    HEALTH_PERIOD_S,
    MAX_REPLICAS,
    TARGET_ONGOING,
    build_replicas,
    deployment_name,
    fingerprint,
)

# What the page has under way, enough to keep all replicas of a model busy: it only waits.
_NUM_WAITING = TARGET_ONGOING * MAX_REPLICAS
# Every open page holds a stream open, and every visitor's event that waits.
_MAX_STREAMS = 2_000


def connect(handles: Mapping[str, Any]) -> None:
    """Have this process's answers computed by replicas.

    Args:
        handles: Deployment name -> its handle. What has none is computed here.
    """
    predictors = {}
    for title, (spec, variant) in _list_forms().items():
        if title in handles:
            form = VARIANTS[variant]
            load_here = partial(_load_here, spec, form)
            predictors[spec.name, form] = RemotePredictor(
                title, handles[title], fingerprint(spec.name, form), load_here
            )
    answer_elsewhere(predictors)


def _load_here(spec: ModelSpec, variant: Variant) -> Predictor:
    if spec.task == "digits":
        return load_predictor(spec.name, "cpu", variant, is_here=True)
    return load_pretrained(spec.name, spec.task, variant=variant, is_here=True).predict


def _list_forms() -> dict[str, tuple[ModelSpec, str]]:
    """Return deployment name -> model and variant, of all that ship."""
    return {
        deployment_name(spec.name, variant): (spec, variant)
        for task in TASKS
        for spec in available_models(task)
        for variant in available_variants(spec.name)
    }


def _serve_page() -> FastAPI:
    # Both are read when Gradio is imported.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    uploads = make_downloads_folder()
    os.environ.setdefault("GRADIO_TEMP_DIR", uploads.name)
    from foundry.ui import build_app, mount

    expect_waiting(_NUM_WAITING)
    server = mount(build_app(concurrency=_NUM_WAITING))
    # The folder goes with it.
    server.state.uploads = uploads
    return server


class Page:
    """The page, and the endpoints for programs."""

    def __init__(self, handles: dict[str, Any]) -> None:
        """Be connected before the page is built.

        Args:
            handles: As `connect()` takes them.
        """
        connect(handles)


def build_serving(forms: Mapping[str, Mapping[str, Any]] | None = None) -> serve.Application:
    """Describe the page with its models.

    Args:
        forms: Deployment name -> options as `build_replicas()` takes them; what is not named the
            page computes itself. None: all, as usual.
    """
    all_forms = _list_forms()
    chosen = {name: {} for name in all_forms} if forms is None else forms
    replicas = {
        name: build_replicas(*all_forms[name], **options) for name, options in chosen.items()
    }
    page = serve.deployment(
        serve.ingress(_serve_page)(Page),
        name="page",
        # Sessions are in its memory: there is one, and every machine's proxy leads to it.
        num_replicas=1,
        max_ongoing_requests=_MAX_STREAMS,
        # It waits for others, and is to have a place even where they have taken every core.
        ray_actor_options={"num_cpus": 0},
        health_check_period_s=HEALTH_PERIOD_S,
    )
    return page.bind(replicas)


app = build_serving()
