import re
import subprocess
import sys
import zipfile

import pytest

from foundry.compression.export import FORMATS, load_exportable, write_archive
from foundry.errors import InputError
from foundry.models import VARIANTS, build_model, save_model
from foundry.models.cache import CACHE_DIR_VARIABLE

pytestmark = pytest.mark.slow("starts a process for each archive")

# Float32 sums in another order, relative to logits of about ten.
FLOAT_TOLERANCE = 1e-4


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_DIR_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


def run_loader(archive, folder):
    """Run the script of an archive in a fresh process, far from Foundry; return what it found."""
    zipfile.ZipFile(archive).extractall(folder)
    ran = subprocess.run(
        [sys.executable, "-I", "load.py"], cwd=folder, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    found = re.search(r"logits that came with the model: (\S+)", ran.stdout)
    assert found, ran.stdout
    return float(found[1])


@pytest.mark.parametrize(
    ("variant", "file_format"),
    [
        *((variant, file_format) for variant in VARIANTS for file_format in FORMATS[:2]),
        # Writing ONNX takes long; the other two differ in nothing that matters to it.
        ("dense", "onnx"),
        ("pruned-int8", "onnx"),
    ],
)
def test_lenet_answers_the_same_in_a_fresh_process(variant, file_format, tmp_path):
    exportable = load_exportable("lenet", "digits", VARIANTS[variant])
    if exportable.variant.is_quantized and file_format == "safetensors":
        with pytest.raises(InputError, match="openvino or onnx"):
            write_archive(exportable, file_format, tmp_path)
        return
    archive = write_archive(exportable, file_format, tmp_path / "out")
    assert archive.name == f"lenet-{variant}-{file_format}.zip"
    difference = run_loader(archive, tmp_path / "elsewhere")
    # int8 in ONNX Runtime rounds in other places than in OpenVINO.
    is_other_int8 = exportable.variant.is_quantized and file_format == "onnx"
    assert difference <= (0.2 if is_other_int8 else FLOAT_TOLERANCE)


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("task", ["sentiment", "speech"])
def test_transformers_models_answer_the_same_in_a_fresh_process(
    task, file_format, tiny_bert_dir, tiny_speech_dir, tmp_path
):
    folder = {"sentiment": tiny_bert_dir, "speech": tiny_speech_dir}[task]
    exportable = load_exportable(str(folder), task)
    archive = write_archive(exportable, file_format, tmp_path)
    difference = run_loader(archive, tmp_path / "elsewhere")
    largest = exportable.predict(*exportable.samples[0]).abs().max().item()
    assert difference <= FLOAT_TOLERANCE * max(1.0, largest)
    names = zipfile.ZipFile(archive).namelist()
    # What turns a text or a sound into inputs goes along.
    assert any(name.startswith(("tokenizer", "vocab")) for name in names)


@pytest.mark.parametrize(
    ("architecture", "file_format"),
    [
        ("cnn", "safetensors"),
        ("lstm", "safetensors"),
        ("lstm", "openvino"),
        ("transformer", "safetensors"),
        ("transformer", "openvino"),
    ],
)
def test_the_network_of_a_run_can_be_taken_home(architecture, file_format, tmp_path):
    save_model(build_model(architecture, width=0.25), tmp_path / "run")
    exportable = load_exportable(tmp_path / "run", "digits")
    archive = write_archive(exportable, file_format, tmp_path)
    assert run_loader(archive, tmp_path / "elsewhere") <= FLOAT_TOLERANCE


def test_an_int8_file_is_smaller_on_the_disk(tmp_path):
    sizes = {}
    for variant in ("dense", "int8"):
        exportable = load_exportable("lenet", "digits", VARIANTS[variant])
        write_archive(exportable, "openvino", tmp_path)
        with zipfile.ZipFile(tmp_path / f"lenet-{variant}-openvino.zip") as archive:
            sizes[variant] = archive.getinfo("model.bin").file_size
    assert sizes["int8"] <= 0.3 * sizes["dense"]
    assert sizes["dense"] >= 4 * 61_706


def test_an_unknown_format_lists_what_there_is(tmp_path):
    exportable = load_exportable("lenet", "digits")
    with pytest.raises(InputError, match="safetensors, openvino, onnx"):
        write_archive(exportable, "pickle", tmp_path)
