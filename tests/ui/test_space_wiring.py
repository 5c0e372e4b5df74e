"""A Hugging Face Space, simulated: what is committed, files that cannot be written, no network."""

import os
import shutil
import socket
import subprocess
import sys
import tarfile
from pathlib import Path
from subprocess import PIPE, run

import httpx
import pytest
from drawing import SEVEN, draw_strokes
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from speaking import speak, write_wav
from waiting import wait_until

PROJECT = Path(__file__).parent.parent.parent
NOBODY = 65534
NUM_CORES = 2
# Python runs a module of this name before anything else. It notes and refuses whatever leaves
# the machine, in the server and in its workers.
NO_NETWORK = """
import os, socket

def is_local(address):
    here = ("127.0.0.1", "::1", "localhost", "0.0.0.0")
    return not isinstance(address, tuple) or address[0] in here

def refuse(address):
    with open(os.environ["ATTEMPTS"], "a") as attempts:
        attempts.write(f"{address}\\n")
    raise OSError(101, "Network is unreachable")

connect, look_up = socket.socket.connect, socket.getaddrinfo

def guarded_connect(self, address):
    return connect(self, address) if is_local(address) else refuse(address)

def guarded_look_up(host, *args, **kwargs):
    local = host is None or is_local((host if isinstance(host, str) else host.decode(),))
    return look_up(host, *args, **kwargs) if local else refuse(host)

socket.socket.connect, socket.getaddrinfo = guarded_connect, guarded_look_up
"""


def git(*arguments, **options):
    # Whoever owns the checkout, the tests may read it.
    command = ["git", "-c", "safe.directory=*", *arguments]
    return run(command, cwd=PROJECT, check=True, stdout=PIPE, **options).stdout


def unpack_archive(folder):
    """Unpack what `git archive` gives of the checkout as it is, changes included."""
    tree = git("stash", "create").decode().strip() or "HEAD"
    packed = folder.with_suffix(".tar")
    packed.write_bytes(git("archive", tree))
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")


def as_a_stranger():
    """Return how to start a process that owns nothing: a prefix of the command, and options."""
    if os.geteuid() != 0:
        return [], {}
    stranger = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    try:
        run([sys.executable, "-c", ""], check=True, **stranger)
    except (PermissionError, subprocess.CalledProcessError):
        # This Python lies where only root can go: a root without any capability, then, whom
        # permissions bind as they bind everybody.
        return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"], {}
    return [], stranger


def use_two_cores():
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:NUM_CORES])


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    """The address of the app as a Space runs it, its code, and what it tried to reach."""
    root = tmp_path_factory.mktemp("space")
    # The folders that pytest makes are for their owner alone.
    for folder in (root, root.parent):
        folder.chmod(0o755)
    code, home, temporary, guard = (root / name for name in ("code", "home", "tmp", "guard"))
    for folder in (home, temporary, guard):
        folder.mkdir()
    unpack_archive(code)
    (guard / "sitecustomize.py").write_text(NO_NETWORK)
    attempts = guard / "attempts.txt"
    attempts.touch()
    attempts.chmod(0o666)
    prefix, options = as_a_stranger()
    if os.geteuid() == 0:
        for folder in (home, temporary):
            shutil.chown(folder, options.get("user", 0), options.get("group", 0))
        for path in (code, *code.rglob("*")):
            shutil.chown(path, NOBODY - 1)
    for path in (code, *code.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(guard),
        "PYTHONDONTWRITEBYTECODE": "1",
        "ATTEMPTS": str(attempts),
        "SPACE_ID": "somebody/foundry",
        "SPACE_HOST": "somebody-foundry.hf.space",
        "SYSTEM": "spaces",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": str(port),
    }
    reaching_out = "import socket; socket.create_connection(('192.0.2.1', 9))"
    run([*prefix, sys.executable, "-c", reaching_out], env=environment, stderr=PIPE, **options)
    assert attempts.read_text() == "192.0.2.1\n"
    attempts.write_text("")
    with (root / "log.txt").open("w") as log:
        server = subprocess.Popen(
            [*prefix, sys.executable, "app.py"],
            cwd=code,
            env=environment,
            stdout=log,
            stderr=log,
            preexec_fn=use_two_cores,
            **options,
        )
    url = f"http://127.0.0.1:{port}"

    def answers():
        assert server.poll() is None, (root / "log.txt").read_text()
        try:
            return httpx.get(url, timeout=60).is_success
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, "the Space's first page")
        yield url, code, attempts
    finally:
        server.terminate()
        server.wait()


def test_all_four_tabs_work_and_nothing_is_written_or_called_outside(space, tmp_path):
    url, code, attempts = space
    prefix, options = as_a_stranger()
    writing = [*prefix, sys.executable, "-c", "open('new', 'w')"]
    assert b"Permission denied" in run(writing, cwd=code, stderr=PIPE, **options).stderr
    draw_strokes(SEVEN).save(tmp_path / "seven.png")
    write_wav(tmp_path / "speech.wav", speak("seven three one")[0])
    client = Client(url, verbose=False)
    seven = handle_file(str(tmp_path / "seven.png"))
    assert client.predict(seven, api_name="/classify_digit")["label"] == "7"
    praise = client.predict("A warm and funny film.", api_name="/score_sentiment")
    assert praise["label"] == "positive"
    speech = handle_file(str(tmp_path / "speech.wav"))
    assert client.predict(speech, api_name="/transcribe")["text"] == "seven three one"
    job = client.submit(epochs=1, num_train_images=2_000, api_name="/train")
    assert [*job][-1]["status"] == "done"
    with pytest.raises(AppError, match="not among the models on offer"):
        client.predict("Good.", "somebody/else", api_name="/score_sentiment")
    assert attempts.read_text() == ""
