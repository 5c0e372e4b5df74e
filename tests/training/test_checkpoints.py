import json
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from foundry.errors import ArtifactError
from foundry.training import TrainConfig, TrainState, train
from foundry.training.checkpoints import find_checkpoint, load_checkpoint, save_checkpoint

SMALL = TrainConfig(num_train_images=500, epochs=3, batch_size=64, learning_rate=2e-3)

VARIETY = {
    "adam": replace(SMALL, optimizer="adam", schedule="constant", weight_decay=0.0),
    "adamw one-cycle": SMALL,
    "sgd one-cycle": replace(SMALL, optimizer="sgd", learning_rate=0.02),
    "sgd constant": replace(SMALL, optimizer="sgd", learning_rate=0.02, schedule="constant"),
    "dropout": replace(SMALL, dropout=0.3),
    "augmentation": replace(SMALL, rotation_deg=10, shift_px=2, scale=0.1),
    "adversarial": replace(SMALL, epsilon=0.1, dropout=0.2),
    "patience": replace(SMALL, epochs=8, patience=1, learning_rate=1e-4),
}


def numbers(events):
    return [replace(event, images_per_s=0, elapsed_s=0) for event in events]


def same_weights(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


_uninterrupted = {}


def uninterrupted(name, mnist):
    if name not in _uninterrupted:
        state = TrainState(VARIETY[name])
        _uninterrupted[name] = (numbers(train(state, mnist)), state)
    return _uninterrupted[name]


def assert_resumes_alike(name, after, mnist, folder):
    """Interrupt after some events, go on in a fresh state, and compare with the whole run."""
    expected, whole = uninterrupted(name, mnist)
    after = min(after, len(expected))
    state = TrainState(VARIETY[name])
    stream = train(state, mnist)
    events = [next(stream) for _ in range(after)]
    path = save_checkpoint(state, folder)
    del state, stream
    torch.manual_seed(987)  # a new process would have another random state
    resumed = load_checkpoint(path)
    events += train(resumed, mnist)
    assert numbers(events) == expected
    assert resumed.best_epoch == whole.best_epoch
    assert same_weights(resumed.model.state_dict(), whole.model.state_dict())
    assert same_weights(resumed.best_weights, whole.best_weights)


@pytest.mark.slow("trains many times")
# 8 steps an epoch, each an event: inside the first epoch, at the end of one, near the end.
@pytest.mark.parametrize("after", [3, 8, 23])
@pytest.mark.parametrize("name", VARIETY)
def test_an_interrupted_run_ends_with_the_numbers_of_an_uninterrupted_one(
    name, after, small_mnist, tmp_path
):
    assert_resumes_alike(name, after, small_mnist, tmp_path)


@pytest.mark.slow("trains many times")
@settings(max_examples=5)
@given(after=st.integers(1, 24), name=st.sampled_from(sorted(VARIETY)))
def test_any_event_is_a_good_place_to_stop(after, name, small_mnist, tmp_path_factory):
    assert_resumes_alike(name, after, small_mnist, tmp_path_factory.mktemp("checkpoints"))


def test_a_run_interrupted_again_and_again_still_ends_alike(small_mnist, tmp_path):
    expected, _ = uninterrupted("dropout", small_mnist)
    state = TrainState(VARIETY["dropout"])
    events = []
    while not state.is_finished:
        stream = train(state, small_mnist)
        for _ in range(5):
            event = next(stream, None)
            if event is not None:
                events.append(event)
        state = load_checkpoint(save_checkpoint(state, tmp_path))
    assert numbers(events) == expected


@pytest.fixture
def state(small_mnist):
    state = TrainState(SMALL)
    stream = train(state, small_mnist)
    for _ in range(9):
        next(stream)
    return state


def test_every_value_comes_back(state, tmp_path):
    loaded = load_checkpoint(save_checkpoint(state, tmp_path))
    assert loaded.config == state.config
    for name in (
        "step",
        "epoch",
        "num_steps",
        "train_s",
        "elapsed_s",
        "best_epoch",
        "best_val_accuracy",
        "best_val_loss",
        "images_per_s",
    ):
        assert getattr(loaded, name) == getattr(state, name), name
    groups = [json.dumps(s.optimizer.state_dict()["param_groups"]) for s in (loaded, state)]
    assert groups[0] == groups[1]


def test_a_state_that_has_not_begun_can_be_saved(small_mnist, tmp_path):
    loaded = load_checkpoint(save_checkpoint(TrainState(SMALL), tmp_path))
    whole = TrainState(SMALL)
    assert numbers(train(loaded, small_mnist)) == numbers(train(whole, small_mnist))


def test_saving_does_not_disturb_the_run(small_mnist, tmp_path):
    state = TrainState(VARIETY["augmentation"])
    events = []
    for event in train(state, small_mnist):
        events.append(event)
        save_checkpoint(state, tmp_path)
    assert numbers(events) == uninterrupted("augmentation", small_mnist)[0]


def test_only_the_newest_checkpoint_is_kept(state, small_mnist, tmp_path):
    save_checkpoint(state, tmp_path)
    next(train(state, small_mnist))
    newest = save_checkpoint(state, tmp_path)
    assert list(tmp_path.iterdir()) == [newest]
    assert find_checkpoint(tmp_path) == newest
    assert load_checkpoint(newest).step == state.step


def test_the_same_step_can_be_saved_twice(state, tmp_path):
    first = save_checkpoint(state, tmp_path)
    assert save_checkpoint(state, tmp_path) == first
    assert load_checkpoint(first).step == state.step


def test_a_checkpoint_holds_no_pickle(state, tmp_path):
    path = save_checkpoint(state, tmp_path)
    assert sorted(file.name for file in path.iterdir()) == ["state.json", "state.safetensors"]
    json.loads((path / "state.json").read_text())


def test_a_folder_without_checkpoints_has_none(tmp_path):
    assert find_checkpoint(tmp_path) is None
    assert find_checkpoint(tmp_path / "missing") is None


def test_what_a_crash_left_half_written_is_ignored_and_replaced(state, tmp_path):
    whole = save_checkpoint(state, tmp_path)
    for name in ("partial-1", "partial-99999"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.json").write_text('{"config"')
    assert find_checkpoint(tmp_path) == whole
    assert save_checkpoint(state, tmp_path) == whole
    assert load_checkpoint(find_checkpoint(tmp_path)).step == state.step


def test_the_newest_is_found_by_its_step_not_by_its_age(tmp_path):
    for step in (900, 1_000, 99):
        (tmp_path / f"step-{step:08d}").mkdir()
    assert find_checkpoint(tmp_path).name == "step-00001000"


@pytest.mark.parametrize("name", ["state.json", "state.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"garbage", b"{}", b"[]", b"null"])
def test_a_damaged_checkpoint_is_named(state, tmp_path, name, content):
    path = save_checkpoint(state, tmp_path)
    if content is None:
        (path / name).unlink()
    else:
        (path / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=path.name):
        load_checkpoint(path)


@pytest.mark.parametrize("name", ["state.json", "state.safetensors"])
def test_a_truncated_checkpoint_is_named(state, tmp_path, name):
    path = save_checkpoint(state, tmp_path)
    content = (path / name).read_bytes()
    (path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ArtifactError, match=path.name):
        load_checkpoint(path)


def rewrite(path, change):
    values = json.loads((path / "state.json").read_text())
    change(values)
    (path / "state.json").write_text(json.dumps(values))


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.pop("step"),
        lambda values: values.pop("best_val_loss"),
        lambda values: values.pop("param_groups"),
        lambda values: values["config"].update(model="cnn"),
        lambda values: values["config"].update(epochs=-1),
        lambda values: values["config"].update(colour="blue"),
    ],
    ids=["no step", "no best loss", "no groups", "other model", "bad epochs", "unknown knob"],
)
def test_a_checkpoint_that_does_not_fit_together_is_named(state, tmp_path, change):
    path = save_checkpoint(state, tmp_path)
    rewrite(path, change)
    with pytest.raises(ArtifactError, match=path.name):
        load_checkpoint(path)


def test_a_checkpoint_of_the_version_before_is_gone_on_from(state, small_mnist, tmp_path):
    # It also held the state of torch's own generator.
    path = save_checkpoint(state, tmp_path)
    tensors = load_file(path / "state.safetensors")
    save_file(tensors | {"rng": torch.get_rng_state()}, path / "state.safetensors")
    loaded = load_checkpoint(path)
    assert [event.step for event in train(loaded, small_mnist)][-1] == loaded.num_steps
