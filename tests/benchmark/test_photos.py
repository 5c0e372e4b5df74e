import pytest
from patterns import KINDS, pattern_bytes

from foundry.benchmark import photos
from foundry.errors import InputError


def test_a_lesson_of_drawn_patterns_beats_one_from_scratch(monkeypatch):
    monkeypatch.setattr(photos, "_NUM_EACH", 8)
    figures = photos._time_lesson(None)
    assert (figures["num_pictures"], figures["num_validated"]) == (40, 10)
    assert figures["accuracy"] > figures["scratch_accuracy"]
    answers = {"p50_ms": {"dense": 30, "int8": 9}, "int8_speedup": 6, "int8_speedup_served": 4}
    measured = {**figures, "load_s": 1, **answers}
    told = photos.report(measured)
    assert (
        "float32 30.0 ms, int8 9.0 ms; int8 is 6.0 times as fast as PyTorch eager" in told
        and "taught 40 drawn patterns in" in told
    )
    assert "; fine-tuned in " in told
    rows = dict(photos.list_rows(measured))
    assert rows["from a photo's file to its names"].startswith("p50 30 ms in float32, 9 ms in int8")
    assert "of 10 set aside right" in rows["5 classes taught with 40 drawn patterns"]
    assert "right, the head alone" in rows["the last block fine-tuned on them"]


def test_pictures_are_read_from_a_folder_for_each_class(tmp_path):
    for kind in KINDS:
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "one.png").write_bytes(pattern_bytes(kind, 0))
    with pytest.raises(InputError, match="needs a folder for each of 5 classes"):
        photos._read_classes(tmp_path)
    (tmp_path / "waves too").mkdir()
    (tmp_path / "waves too" / "one.png").write_bytes(pattern_bytes("waves", 1))
    examples, pictures = photos._read_classes(tmp_path)
    assert [one.label for one in examples] == sorted([*KINDS, "waves too"])
    assert {picture.size for picture in pictures} == {(256, 256)}
