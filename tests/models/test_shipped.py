import hashlib

import pytest

from foundry.errors import ArtifactError
from foundry.models.shipped import SUMS_FILE, check_shipped, record_shipped


@pytest.fixture
def weights(tmp_path):
    file = tmp_path / "lenet" / "model.safetensors"
    file.parent.mkdir()
    file.write_bytes(b"old")
    (tmp_path / SUMS_FILE).write_text(f"{hashlib.sha256(b'old').hexdigest()}  lenet/{file.name}\n")
    return file


def test_a_file_made_anew_is_accepted_once_its_sum_is_recorded(weights):
    check_shipped(weights)
    weights.write_bytes(b"new")
    with pytest.raises(ArtifactError, match=r"model\.safetensors"):
        check_shipped(weights)
    record_shipped(weights)
    check_shipped(weights)


def test_other_sums_stay_and_lines_are_in_order(weights):
    other = weights.parent.parent / "another" / weights.name
    other.parent.mkdir()
    other.write_bytes(b"other")
    record_shipped(other)
    names = [line.split()[1] for line in (weights.parent.parent / SUMS_FILE).open()]
    assert names == ["another/model.safetensors", "lenet/model.safetensors"]
    check_shipped(weights)
    check_shipped(other)


def test_a_folder_without_sums_gets_none(tmp_path):
    file = tmp_path / "out" / "model.safetensors"
    file.parent.mkdir()
    file.write_bytes(b"mine")
    record_shipped(file)
    check_shipped(file)
    assert not (tmp_path / SUMS_FILE).exists()
