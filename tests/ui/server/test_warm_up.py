import subprocess
import sys
from collections import OrderedDict

from waiting import PATIENCE_S

from foundry.models import pretrained
from foundry.ui import build_app
from foundry.ui.server.warm_up import WarmUp

# Each takes longer to import, or more memory, than a server without visitors may.
HEAVY = {"captum", "librosa", "nncf", "numba", "openvino", "torch._dynamo", "torchvision"} | {
    "transformers",
    "triton",
}


_PROGRAM = """
import sys
from foundry.ui import build_app
from foundry.ui.server.warm_up import WarmUp
app = build_app("cpu")
print(*sys.modules)
handlers = [getattr(event.fn, "__self__", None) for event in app.fns.values()]
(once,) = [handler for handler in handlers if isinstance(handler, WarmUp)]
once.start()
once.wait()
print(*sys.modules)
"""


def test_what_is_heavy_comes_with_the_first_visitor_and_what_compiles_never():
    ran = subprocess.run([sys.executable, "-c", _PROGRAM], check=True, capture_output=True)
    at_start, warmed = (set(line.split()) for line in ran.stdout.decode().splitlines())
    assert not HEAVY & at_start
    assert {"transformers", "captum"} <= warmed
    # numba compiles for many seconds at its first use, and again wherever it may not keep the code.
    assert not {"numba", "librosa"} & warmed


def test_one_damaged_tab_does_not_keep_the_others_cold():
    warmed = []

    def fail():
        raise RuntimeError("damaged")

    once = WarmUp([fail, lambda: warmed.append("speech")], head_start_s=0)
    assert not once.wait()
    once.start()
    once.start()
    assert once.wait(PATIENCE_S)
    assert warmed == ["speech"]


def test_the_first_page_loads_every_tab(monkeypatch):
    # Other tests of this process have loaded models, and pushed models out.
    monkeypatch.setattr(pretrained, "_kept", OrderedDict())
    events = build_app("cpu").fns.values()
    loads = [event.fn for event in events if "load" in {name for _, name in event.targets}]
    (start,) = (load for load in loads if getattr(load, "__func__", None) is WarmUp.start)
    start()
    assert start.__self__.wait(PATIENCE_S)
    assert {name for name, *_ in pretrained._kept} == {"bert-sentiment", "wav2vec2-commands"}
