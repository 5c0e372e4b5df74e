import pytest

from foundry.runs.folders import replace_text


def test_a_file_that_cannot_be_replaced_stays_and_nothing_lies_beside_it(tmp_path, monkeypatch):
    file = tmp_path / "name.txt"
    replace_text(file, "before")
    with monkeypatch.context() as full:

        def fail(*_):
            raise OSError(28, "No space left on device")

        full.setattr(type(file), "replace", fail)
        with pytest.raises(OSError, match="No space left"):
            replace_text(file, "after")
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_text() == "before"
