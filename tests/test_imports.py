"""What holds for every source file: nothing that runs code from data, and rooms of a bounded size.

Which package may import which is in `.importlinter`, and `.ci/run` checks it.
"""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "foundry"
CODE_READERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


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
        assert name not in {"eval", "exec", "compile", "torch.save", "os.system"}
        # A recipe reads its source in the only form that there is, and of that only tensors.
        assert name != "torch.load" or ("recipes" in path.parts and "weights_only" in switched_on)
        assert not switched_on & {"allow_pickle", "trust_remote_code", "shell"}


def test_nothing_that_ships_is_a_pickle():
    for folder in (PACKAGE.parent / "weights", PACKAGE):
        for pattern in ("*.bin", "*.pt", "*.pth", "*.pkl", "*.npy", "*.ckpt", "*.joblib"):
            assert not list(folder.rglob(pattern))


MAX_MODULES, MAX_ROOMS, MAX_LINES = 14, 15, 300


def test_no_package_has_more_modules_than_a_listing_explains():
    for folder in {path.parent for path in PACKAGE.rglob("*.py")}:
        assert len(list(folder.glob("*.py"))) <= MAX_MODULES, folder
    entries = [path for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"]
    rooms = [path for path in entries if path.name not in ("__init__.py", "__pycache__")]
    assert len(rooms) <= MAX_ROOMS


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_no_module_is_longer_than_can_be_read_at_once(path):
    assert len(path.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize(
    "folder",
    sorted({path.parent for path in PACKAGE.rglob("*.py")}),
    ids=lambda path: str(path.relative_to(PACKAGE.parent)),
)
def test_every_package_says_what_is_in_it(folder):
    sign = folder / "__init__.py"
    # The loaders go along with what visitors take home; each is a script of its own.
    assert folder.name == "loaders" or ast.get_docstring(ast.parse(sign.read_text()))
