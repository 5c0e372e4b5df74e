"""Pruning and teaching a tiny recogniser, end to end and part by part."""

import json
import os
import signal
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

from foundry.errors import ArtifactError
from foundry.recipes.speech.batches import BatchSource
from foundry.recipes.speech.data.corpus import SAMPLE_RATE_HZ, ClipStore, write_store
from foundry.recipes.speech.distill import PruneConfig, build_loss, prune
from foundry.recipes.speech.evaluate import Utterance
from foundry.recipes.speech.losses import compute_loss
from foundry.recipes.speech.model import build_config, build_model, save_model
from foundry.recipes.speech.pruned import FIRST_STEP, make_pruned
from foundry.recipes.speech.train import CHECKPOINT, TrainConfig, TrainState, train
from foundry.speech.decoding.beam import BeamOptions, Bigram, write_bigram

TONES_HZ = {"one": 400.0, "two": 900.0, "go": 2000.0}
SMALL = PruneConfig(num_layers=1, intermediate_dim=160, conv_dim=48)
BRIEF = TrainConfig(minutes=0.0, num_workers=0)


def speak(text: str) -> np.ndarray:
    """A quarter of a second of one tone for each word."""
    time_s = np.arange(SAMPLE_RATE_HZ // 4) / SAMPLE_RATE_HZ
    tones = [np.sin(2 * np.pi * TONES_HZ[word] * time_s) for word in text.split()]
    return (0.3 * np.concatenate(tones)).astype(np.float32)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> BatchSource:
    folder = tmp_path_factory.mktemp("store")
    texts = [*TONES_HZ, "go one", "two one two"] * 4
    write_store(
        folder,
        [("speech_commands", f"s{n}", text, speak(text)) for n, text in enumerate(texts)],
    )
    store = ClipStore(folder)
    return BatchSource([(store, clip) for clip in store.clips], [], seed=3, scale=0.1)


@pytest.fixture(scope="module")
def dense_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real architecture, 64 wide, 2 layers, with a word list."""
    folder = tmp_path_factory.mktemp("dense")
    save_model(build_model(build_config(hidden_dim=64, num_layers=2), seed=0), folder)
    write_bigram(Bigram.count(["one two go"]), BeamOptions(0.5, 0.0), folder)
    return folder


@pytest.fixture
def dense(dense_dir: Path) -> Wav2Vec2ForCTC:
    return Wav2Vec2ForCTC.from_pretrained(dense_dir).eval()


@pytest.fixture(scope="module")
def dev_sets() -> dict[str, list[Utterance]]:
    sets = {"words": ["one", "go"], "digit_strings": ["two one"]}
    silence = np.zeros(8_000, np.float32)
    return {name: [(speak(t), t) for t in texts] for name, texts in sets.items()} | {
        "wordless": [(silence, "")]
    }


def test_recipe_writes_a_smaller_model_that_loads_anywhere(
    dense_dir: Path, source: BatchSource, dev_sets: dict[str, list[Utterance]], tmp_path: Path
) -> None:
    make_pruned(dense_dir, source, dev_sets, SMALL, BRIEF, tmp_path, resume=False)
    model = Wav2Vec2ForCTC.from_pretrained(tmp_path / "model")
    dense = Wav2Vec2ForCTC.from_pretrained(dense_dir)
    config = json.loads((tmp_path / "model" / "config.json").read_text("utf-8"))
    assert (config["num_hidden_layers"], config["intermediate_size"]) == (1, 160)
    assert config["conv_dim"] == [64, 48, 64]
    assert model.dtype == torch.float32
    # A layer: 4 matrices of 64 x 64, 2 of 64 x 256, their biases, and two norms.
    layer = 4 * (64 * 64 + 64) + 2 * 64 * 256 + 256 + 64 + 2 * (2 * 64)
    neurons = (256 - 160) * (64 + 1 + 64)
    # A channel: 64 x 4 weights and a bias in, two numbers of the norm, 64 x 3 weights out.
    channels = (64 - 48) * (64 * 4 + 1 + 2 + 64 * 3)
    assert dense.num_parameters() - model.num_parameters() == layer + neurons + channels
    processor = Wav2Vec2Processor.from_pretrained(tmp_path / "model")
    inputs = processor(speak("one go"), sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")
    assert model(**inputs).logits.shape[0::2] == (1, 30)
    assert (tmp_path / "model" / "bigram.json").is_file()
    card = (tmp_path / "model" / "README.md").read_text("utf-8")
    assert card.startswith("---\nlicense") and "160\nneurons" in card


def test_nothing_removed_is_the_dense_model(dense: Wav2Vec2ForCTC, source: BatchSource) -> None:
    batch = source[FIRST_STEP]
    same, kept = prune(dense, [batch], PruneConfig(2, 256, 64))
    assert kept == (0, 1)
    assert same.config.to_dict() == dense.config.to_dict()
    with torch.no_grad():
        assert torch.equal(same(batch.input_values).logits, dense(batch.input_values).logits)
        # Then there is nothing to learn from the teacher: the transcript's loss is left.
        taught = build_loss(dense, kept, SMALL)(same, batch)
        assert taught.item() == pytest.approx(compute_loss(same, batch).item(), rel=1e-5)


def test_teaching_brings_the_student_closer_and_leaves_the_teacher_alone(
    dense: Wav2Vec2ForCTC, source: BatchSource, tmp_path: Path
) -> None:
    before = {name: tensor.clone() for name, tensor in dense.state_dict().items()}
    student, kept = prune(dense, [source[FIRST_STEP]], SMALL)
    state = TrainState(student)
    state.step = FIRST_STEP
    loss = build_loss(dense, kept, SMALL)
    config = TrainConfig(minutes=60.0, learning_rate=3e-3, num_workers=0)
    # A batch that the training does not meet.
    probe = source[FIRST_STEP - 1]
    untaught = loss(student.eval(), probe).item()
    for _ in islice(train(state, source, config, tmp_path, lambda model: {}, loss), 30):
        pass
    assert loss(student.eval(), probe).item() < 0.7 * untaught
    for name, tensor in dense.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert all(parameter.grad is None for parameter in dense.parameters())


def test_stopped_teaching_is_saved_and_resumed(
    dense_dir: Path,
    source: BatchSource,
    dev_sets: dict[str, list[Utterance]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = replace(BRIEF, minutes=60.0)
    make_batch = BatchSource.__getitem__

    def make_batch_then_stop(self: BatchSource, step: int):
        if step == FIRST_STEP + 12:
            os.kill(os.getpid(), signal.SIGTERM)
        return make_batch(self, step)

    handler = signal.getsignal(signal.SIGTERM)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(BatchSource, "__getitem__", make_batch_then_stop)
            make_pruned(dense_dir, source, dev_sets, SMALL, long, tmp_path, resume=False)
        assert (tmp_path / CHECKPOINT).is_file() and not (tmp_path / "model").exists()
        make_pruned(dense_dir, source, dev_sets, SMALL, BRIEF, tmp_path, resume=True)
    finally:
        signal.signal(signal.SIGTERM, handler)
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert events[-1]["step"] == FIRST_STEP + 14
    assert (tmp_path / "model" / "README.md").is_file()


def test_teaching_begins_from_an_earlier_pruned_model(
    dense_dir: Path, source: BatchSource, dev_sets: dict[str, list[Utterance]], tmp_path: Path
) -> None:
    make_pruned(dense_dir, source, dev_sets, SMALL, BRIEF, tmp_path / "first", resume=False)
    earlier = tmp_path / "first" / "model"
    still = replace(BRIEF, minutes=0.0, decay_minutes=1.0)
    make_pruned(dense_dir, source, dev_sets, SMALL, still, tmp_path / "second", False, earlier)
    first = Wav2Vec2ForCTC.from_pretrained(earlier).state_dict()
    second = Wav2Vec2ForCTC.from_pretrained(tmp_path / "second" / "model").state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    for folder in (earlier, tmp_path / "second" / "model"):
        config = json.loads((folder / "config.json").read_text("utf-8"))
        assert config["kept_layers"] in ([0], [1])
    narrow = replace(SMALL, intermediate_dim=96)
    with pytest.raises(ArtifactError, match="other widths"):
        make_pruned(dense_dir, source, dev_sets, narrow, still, tmp_path / "x", False, earlier)
    with pytest.raises(ArtifactError, match="does not say which layers"):
        make_pruned(dense_dir, source, dev_sets, SMALL, still, tmp_path / "x", False, dense_dir)


def test_another_teacher_cannot_go_on(
    dense_dir: Path, source: BatchSource, dev_sets: dict[str, list[Utterance]], tmp_path: Path
) -> None:
    (tmp_path / "teacher.sha256").write_text("0" * 64)
    with pytest.raises(ArtifactError, match="another model"):
        make_pruned(dense_dir, source, dev_sets, SMALL, BRIEF, tmp_path, resume=True)
    with pytest.raises(ArtifactError, match="--dense"):
        make_pruned(tmp_path, source, dev_sets, SMALL, BRIEF, tmp_path, resume=False)
