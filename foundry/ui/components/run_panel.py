"""One kind of run on its tab: started, watched, found again after a reload, stopped.

Training, compression and search fill it with what is their own: words, plots, and a form.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import gradio as gr

from foundry.runs.folders import ACTIVE, AnyRun
from foundry.runs.queue import RunQueue
from foundry.runs.store import RunStore
from foundry.ui.components.plots import status_line
from foundry.ui.components.run_status import STATES, Seen, is_known, place_in_line, see
from foundry.ui.page.feedback import shows_errors
from foundry.ui.server.limits import TRAINING_STARTS

R = TypeVar("R", bound=AnyRun)

# Where Start is among the updates.
_START = 4


@dataclass(frozen=True)
class RunWords(Generic[R]):
    """What the status line says.

    Attributes:
        idle: Before the first run: a state, and a sentence.
        describe: What it says of a run beside its state.
        states: Words for `running`, and where a status has other words than `STATES`.
    """

    idle: tuple[str, str]
    describe: Callable[[R], str]
    states: Mapping[str, str]


@dataclass(frozen=True)
class RunPanel(Generic[R]):
    """What the page does with one kind of run.

    Attributes:
        queue: Where runs wait their turn.
        store: Where they are kept.
        words: For the status line.
        render: Updates of the kind's own components for a run, or for None before the first.
        render_added: The same where nothing but events was added to a run; takes how many of them
            the page shows, 0 before the first.
        fill: Values for the form from a run's settings, or for a visitor without a run; takes the
            visitor's token too.
        can_pause: Whether Pause is offered while it runs.
        can_resume: Whether Resume is offered where it did not end.
        step: What the queue is told for a part so small that one looks at each; None if there is no
            Step.
    """

    queue: RunQueue
    store: RunStore[R]
    words: RunWords[R]
    render: Callable[[R | None], list[Any]]
    render_added: Callable[[R, int], list[Any]]
    fill: Callable[[R | None, str], list[Any]]
    can_pause: bool = False
    can_resume: bool = False
    step: str | None = None

    @cached_property
    def _num_own(self) -> int:
        return len(self.render(None))

    @cached_property
    def _num_controls(self) -> int:
        return len(self.show(None)) - self._num_own

    def on_start(self, token: str, create: Callable[..., R], *settings: Any) -> list[Any]:
        """Start a run.

        Args:
            token: The visitor's token.
            create: Makes its folder.
            settings: What else `create` takes.

        Returns:
            The run's id, then as `on_refresh()`.

        Raises:
            InputError: If the visitor has started too many, or as `RunQueue.start()` does.
        """
        TRAINING_STARTS.count(token)
        run = self.queue.start(create, *settings)
        return [run.run_id, *self.show(run)]

    @shows_errors
    def on_pause(self, run_id: str, token: str) -> None:
        """Pause the visitor's run; the next refresh shows it."""
        self.queue.pause(self.store.read_own(run_id, token).run_id)

    @shows_errors
    def on_stop(self, run_id: str, token: str) -> None:
        """Stop the visitor's run, keeping what there is; the next refresh shows it."""
        self.queue.stop(self.store.read_own(run_id, token).run_id)

    @shows_errors
    def on_resume(self, run_id: str, token: str) -> list[Any]:
        """Queue a paused, failed or interrupted run again. Returns as `on_refresh()`."""
        self.queue.submit(self.store.read_own(run_id, token))
        return self.show(self.store.read_own(run_id, token))

    @shows_errors
    def on_step(self, run_id: str, token: str) -> list[Any]:
        """Queue such a run again for one step. Returns as `on_refresh()`."""
        self.queue.submit(self.store.read_own(run_id, token), self.step or "")
        return self.show(self.store.read_own(run_id, token))

    def on_refresh(self, run_id: str, token: str, seen: Seen | None) -> list[Any]:
        """Look at the run again.

        Args:
            run_id: The run on show.
            token: The visitor's token.
            seen: What the page shows.

        Returns:
            Updates in the order of `RunControls.outputs()`, then those of `render()`; skips where
            nothing has changed.
        """
        run = self.store.find_own(run_id, token)
        if run is None or seen is None or seen[:2] != (run.run_id, run.status):
            return self.show(run)
        controls: list[Any] = [gr.skip()] * self._num_controls
        own: list[Any] = [gr.skip()] * self._num_own
        if not is_known(run, seen):
            controls[0], controls[3] = see(run), self.status_html(run)
            own = self.render_added(run, seen.num_events) if run.events else own
        elif run.status not in ACTIVE:
            controls[1] = gr.Timer(active=False)
        return [*controls, *own]

    def on_return(self, run_id: str, token: str) -> list[Any]:
        """Attach a page that was opened or reloaded to the run it showed, or to the newest one.

        Returns:
            The run's id, its settings as `fill()` gives them, then as `on_refresh()`.
        """
        run = self.store.find_own(run_id, token) or next(iter(self.store.list_own(token)), None)
        return [run.run_id if run else "", *self.fill(run, token), *self.show(run)]

    def on_arrive(self, run_id: str, token: str) -> list[Any]:
        """As `on_return()` for a page just opened, which shows what precedes a first run already.

        What it need not change it does not touch: the page looks through all its components for
        each update.
        """
        if self.store.find_own(run_id, token) or self.store.list_own(token):
            return self.on_return(run_id, token)
        controls: list[Any] = [gr.skip()] * self._num_controls
        controls[_START] = gr.Button(interactive=True)
        return ["", *self.fill(None, token), *controls, *[gr.skip()] * self._num_own]

    def status_html(self, run: R | None) -> str:
        """Return the status line with its progress bar."""
        if run is None:
            return status_line(*self.words.idle)
        runs_ahead = self.queue.position(run.run_id) if run.status == "queued" else 0
        facts = place_in_line(runs_ahead) if runs_ahead else self.words.describe(run)
        state = {**STATES, **self.words.states}[run.status]
        return status_line(state, facts, run.progress, run.status)

    def show(self, run: R | None) -> list[Any]:
        """Return all updates for a run, as `on_refresh()` does."""
        active = run is not None and run.status in ACTIVE
        resumable = self.can_resume and run is not None and run.is_resumable
        # One primary action: where a run can go on, that.
        start = gr.Button(interactive=not active, variant="secondary" if resumable else "primary")
        buttons = [start, gr.Button(interactive=active)]
        if self.can_pause:
            buttons.append(gr.Button(visible=not resumable, interactive=active))
        if self.can_resume:
            buttons.append(gr.Button(visible=resumable))
        if self.step:
            buttons.append(gr.Button(visible=resumable))
        return [
            see(run) if run else None,
            # Looked at once more at its end: what was asked of the run before may come later.
            gr.Timer(active=run is not None),
            run.run_id if run and run.result else "",
            self.status_html(run),
            *buttons,
            *self.render(run),
        ]
