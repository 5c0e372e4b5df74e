"""A server that is killed and started again, uploads that break off, folders that are closed."""

import http.client
import signal
import uuid
from dataclasses import astuple
from urllib.parse import urlsplit

import gradio as gr
import httpx
import pytest
from drawing import SEVEN, draw_strokes
from gradio_client import Client
from queues import build_queue
from waiting import PATIENCE_S, wait_until

from foundry.benchmark.harness.served_app import OpenPage, Visitor, serve_app
from foundry.runs.folders import RUNS_DIR_VARIABLE
from foundry.training import TrainConfig
from foundry.training.runs import read_run
from foundry.ui.draw.photo import on_photo
from foundry.ui.train.tab import build_panel, on_start

ENDLESS = {"num_train_images": 5_000, "batch_size": 8, "epochs": 100}


def test_a_killed_server_starts_again_lists_the_run_and_resumes_it(runs_folder):
    runs = {RUNS_DIR_VARIABLE: str(runs_folder)}
    with serve_app(**runs) as app:
        client = Client(app.url, verbose=False)
        job = client.submit(**ENDLESS, api_name="/train")
        run_id = wait_until(lambda: job.outputs() and job.outputs()[-1], "a run")["run_id"]
        run = read_run(run_id)
        wait_until(lambda: list(run.checkpoints_folder.glob("step-*")), "a checkpoint")
        app.process.send_signal(signal.SIGKILL)
        app.process.wait()
    wait_until(lambda: read_run(run_id).status == "interrupted", "the worker's last word")
    reached = read_run(run_id).events[-1].step
    with serve_app(**runs) as app:
        again = Client(app.url, verbose=False)
        again.session_hash = client.session_hash
        (listed,) = again.predict(api_name="/list_runs")
        assert (listed["run_id"], listed["status"]) == (run_id, "interrupted")
        with OpenPage(app.url) as page:
            page.fire(
                page.find_event_of("train-resume", "click"),
                run_id,
                f"session-{client.session_hash}",
            )
        wait_until(lambda: read_run(run_id).events[-1].step > reached, "the run to go on")
        assert again.predict(run_id, api_name="/stop_run")["status"] == "stopped"
    steps = [event.step for event in read_run(run_id).events]
    assert steps == sorted(set(steps))


def test_two_servers_keep_their_uploads_apart(runs_folder, tmp_path, monkeypatch):
    # The tested app's own folder is not for these two.
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    draw_strokes(SEVEN).save(tmp_path / "seven.png")
    runs = {RUNS_DIR_VARIABLE: str(runs_folder)}
    with serve_app(**runs) as first, Visitor(first.url) as visitor:
        mine = visitor.upload(tmp_path / "seven.png")
        with serve_app(**runs) as second, Visitor(second.url) as other:
            theirs = other.upload(tmp_path / "seven.png")
            assert theirs["path"] != mine["path"]
        # Gradio deletes a server's uploads with it.
        assert visitor.call("classify_digit", mine, "lenet", "dense")["label"] == "7"


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_browser_that_vanishes_while_it_sends_leaves_the_server_well(app_url, share):
    address, boundary = urlsplit(app_url), uuid.uuid4().hex
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n'
    ).encode() + bytes(200_000)
    connection = http.client.HTTPConnection(address.hostname, address.port)
    connection.putrequest("POST", "/gradio_api/upload")
    connection.putheader("Content-Type", f"multipart/form-data; boundary={boundary}")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    connection.send(body[: round(share * len(body))])
    connection.close()
    assert httpx.get(f"{app_url}config", timeout=PATIENCE_S).is_success


def test_without_a_place_for_runs_everything_but_training_works(tmp_path, monkeypatch):
    (tmp_path / "a file").write_text("in the way")
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(tmp_path / "a file" / "runs"))
    panel = build_panel(build_queue())
    with pytest.raises(gr.Error, match=f"Set {RUNS_DIR_VARIABLE} to a folder with room"):
        on_start(panel, "cpu", "alice", *astuple(TrainConfig()))
    draw_strokes(SEVEN).save(tmp_path / "seven.png")
    assert "### 7" in on_photo("cpu", str(tmp_path / "seven.png"), "lenet", "alice")[1]
    assert panel.on_return("", "alice")[0] == ""
