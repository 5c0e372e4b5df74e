import os
from importlib.metadata import version

import psutil
import pytest
import torch

from foundry.models.machine import (
    PACKAGES,
    autocast,
    list_versions,
    look_at_machine,
    select_precision,
    without_tiles,
)


def test_the_versions_are_those_that_are_installed():
    versions = list_versions()
    assert list(versions) == ["python", *PACKAGES]
    assert all(versions[name] == version(name) for name in PACKAGES)


def test_the_machine_is_described_with_what_the_system_tells(monkeypatch):
    machine = look_at_machine()
    assert machine.processor
    assert 1 <= machine.num_cores <= psutil.cpu_count()
    assert machine.num_threads >= 1
    assert machine.memory_bytes == psutil.virtual_memory().total
    assert machine.load_average >= 0


def test_a_system_that_tells_little_is_described_all_the_same(monkeypatch, tmp_path):
    monkeypatch.delattr("os.getloadavg", raising=False)
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("foundry.models.machine._CPU_INFO", tmp_path / "none")
    machine = look_at_machine()
    assert machine.processor and machine.num_cores >= 1
    assert machine.load_average is None


@pytest.mark.parametrize(
    ("capabilities", "device", "expected"),
    [
        ({"amx_bf16": True, "avx512_bf16": True}, "cpu", torch.bfloat16),
        # Measured: vector instructions alone are slower than float32.
        ({"amx_bf16": False, "avx512_bf16": True}, "cpu", torch.float32),
        ({}, "cpu", torch.float32),
        ({"amx_bf16": True}, "cuda", torch.float32),
    ],
)
def test_bfloat16_is_for_processors_with_tiles(monkeypatch, capabilities, device, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert select_precision(torch.device(device)) == expected
    weights = torch.ones(2, 2)
    on_processor = select_precision(torch.device("cpu"))
    with autocast():
        assert (weights @ weights).dtype == on_processor


def test_the_limit_for_openvino_holds_for_a_moment_only(monkeypatch):
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    with without_tiles():
        assert os.environ["ONEDNN_MAX_CPU_ISA"] == "AVX512_CORE_VNNI"
    assert "ONEDNN_MAX_CPU_ISA" not in os.environ


def test_a_limit_of_the_users_own_is_left(monkeypatch):
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    with without_tiles():
        assert os.environ["ONEDNN_MAX_CPU_ISA"] == "AVX2"
    assert os.environ["ONEDNN_MAX_CPU_ISA"] == "AVX2"
