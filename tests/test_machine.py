from importlib.metadata import version

import psutil

from foundry.machine import PACKAGES, list_versions, look_at_machine


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
    monkeypatch.setattr("foundry.machine._CPU_INFO", tmp_path / "none")
    machine = look_at_machine()
    assert machine.processor and machine.num_cores >= 1
    assert machine.load_average is None
