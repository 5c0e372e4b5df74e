"""Imports go one way: ui -> recipes and benchmark -> tasks -> models -> data -> errors."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "foundry"
# Lowest first; what is not named is a task. A module may import from its own layer and below.
LAYERS = {
    "errors": 0,
    "cluster": 1,
    "sharding": 1,
    "data": 1,
    "networks": 1,
    "bert": 1,
    "hub": 1,
    "timing": 1,
    "pareto": 1,
    "machine": 1,
    "runtime": 1,
    "remote": 1,
    "compression": 1,
    "pruning": 1,
    "quantization": 1,
    "quantized_layers": 1,
    "calibration": 1,
    "variant_cache": 1,
    "variants": 1,
    "pretrained": 1,
    "shipped": 1,
    "models": 2,
    "replica": 4,
    "recipes": 4,
    "benchmark": 4,
    "ui": 5,
    "serving": 5,
}
TASKS = 3
CODE_READERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
# Modules of one task, which may know each other; tasks do not.
FAMILIES = [
    {"train_config", "augmentation", "evaluation", "training", "checkpoints", "pruned_training"}
    | {
        "run_folders",
        "runs",
        "run_queue",
        "worker",
        "export",
        "cleaning",
        "forms",
        "histograms",
        "measure",
    }
    | {"memory", "model_card", "sensitivity", "speeds", "workloads"}
    | {"compress", "compress_config", "compress_runs", "compress_state", "compress_worker"}
    | {"search", "search_config", "search_runs", "search_tune", "search_worker"},
    {"ink", "digits"},
    {"explain"},
    {"variant_export"},
    {
        "audio",
        "captions",
        "spectrogram",
        "speech",
        "speech_beam",
        "speech_chunks",
        "speech_live",
        "speech_paths",
    }
    | {"speech_score", "speech_words"},
    {"sentiment", "sentiment_pieces", "sentiment_encoder", "sentiment_tables"}
    | {"sentiment_report", "attribution"},
]


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("foundry"):
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_a_module_imports_only_its_own_layer_and_below(path):
    module = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    layer = LAYERS.get(module, TASKS)
    for imported in imported_modules(path):
        assert LAYERS.get(imported, TASKS) <= layer, f"{module} imports {imported}"
        if layer == TASKS and imported not in LAYERS:
            family = next(family for family in FAMILIES if module in family)
            assert imported in family, f"{module} imports {imported}, another task"


def calls_of(tree):
    """Yield every call's dotted name and the names of its arguments that are set to True."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield (
                ast.unparse(node.func),
                {
                    keyword.arg
                    for keyword in node.keywords
                    if isinstance(keyword.value, ast.Constant) and keyword.value.value is True
                },
            )


@pytest.mark.parametrize(
    "path",
    [*sorted(PACKAGE.rglob("*.py")), PACKAGE.parent / "app.py"],
    ids=lambda path: str(path.relative_to(PACKAGE.parent)),
)
def test_nothing_is_read_that_can_run_code(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", "") or ""}
            assert not {name.split(".")[0] for name in names} & CODE_READERS
    for name, switched_on in calls_of(tree):
        assert name not in {"eval", "exec", "compile", "torch.load", "torch.save", "os.system"}
        assert not switched_on & {"allow_pickle", "trust_remote_code", "shell"}


def test_nothing_that_ships_is_a_pickle():
    for folder in (PACKAGE.parent / "weights", PACKAGE):
        for pattern in ("*.bin", "*.pt", "*.pth", "*.pkl", "*.npy", "*.ckpt", "*.joblib"):
            assert not list(folder.rglob(pattern))
