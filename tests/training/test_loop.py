import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss

from foundry.data import DataSet, Split, normalize
from foundry.training import TrainConfig, TrainState, train
from foundry.training.evaluation import evaluate

SMALL = TrainConfig(num_train_images=500, epochs=2, batch_size=64, learning_rate=2e-3)
# 8 steps an epoch: 500 images in batches of 64.
STEPS_PER_EPOCH = 8

VARIETY = {
    "default": SMALL,
    "dropout": replace(SMALL, dropout=0.3),
    "augmentation": replace(SMALL, rotation_deg=10, shift_px=2, scale=0.1),
    "sgd": replace(SMALL, optimizer="sgd", schedule="constant", learning_rate=0.02),
    "adversarial": replace(SMALL, epsilon=0.1),
    "cnn": replace(SMALL, model="cnn", epochs=1, dropout=0.3),
    "lstm": replace(SMALL, model="lstm", width=0.25, epochs=1, dropout=0.3),
    "transformer": replace(SMALL, model="transformer", width=0.25, epochs=1, dropout=0.3),
}


class Untouchable:
    """Stands for a split that nobody may look at."""

    def __getattribute__(self, name):
        raise AssertionError(f"the test split was touched: {name}")


def events_of(config, mnist):
    return list(train(TrainState(config), mnist))


def numbers(events):
    """What must repeat: everything but the timings."""
    return [replace(event, images_per_s=0, elapsed_s=0) for event in events]


@pytest.fixture(scope="module")
def learned(small_mnist):
    """A run that gets somewhere in four seconds, and its events."""
    config = replace(SMALL, num_train_images=2000, epochs=4, label_smoothing=0.0)
    state = TrainState(config)
    return state, list(train(state, small_mnist))


def test_losses_fall_and_accuracy_rises(learned):
    _, events = learned
    validated = [event for event in events if event.val_loss is not None]
    assert validated[-1].train_loss < 0.5 * events[0].train_loss
    assert validated[-1].val_loss < 0.7 * validated[0].val_loss
    # Chance is 0.1.
    assert validated[-1].val_accuracy > 0.8


def test_an_untrained_network_starts_at_the_loss_of_guessing(learned):
    # Cross-entropy of ten equal probabilities is ln 10.
    assert learned[1][0].train_loss == pytest.approx(math.log(10), abs=0.3)


def test_the_last_event_of_each_epoch_and_no_other_carries_validation(learned):
    state, events = learned
    ends = [event for event in events if event.step % state.steps_per_epoch == 0]
    assert [event.epoch for event in ends] == [1, 2, 3, 4]
    assert [event for event in events if event.val_accuracy is not None] == ends
    assert [event for event in events if event.val_loss is not None] == ends
    assert not any(event.is_best for event in events if event not in ends)


def test_steps_rise_and_belong_to_their_epochs(learned):
    state, events = learned
    steps = [event.step for event in events]
    assert steps == sorted(set(steps))
    # 2,000 images in batches of 64 make 32 steps, the last one short.
    assert steps[-1] == events[0].num_steps == state.num_steps == 4 * 32
    assert all(event.epoch == math.ceil(event.step / 32) for event in events)


def test_an_epoch_has_about_25_events(mnist):
    config = TrainConfig(num_train_images=10_000, batch_size=64, epochs=1)
    state = TrainState(config)
    interval = math.ceil(state.steps_per_epoch / 25)
    # Counted by hand from the documented rule: 157 steps, every 7th and the last.
    assert (state.steps_per_epoch, interval) == (157, 7)
    assert 20 <= 157 // 7 + 1 <= 26


def test_timings_are_positive_and_elapsed_time_grows(learned):
    events = learned[1]
    assert all(event.images_per_s > 0 for event in events)
    elapsed = [event.elapsed_s for event in events]
    assert elapsed[0] > 0
    assert elapsed == sorted(elapsed)


def test_overall_throughput_lies_within_that_of_the_intervals(learned):
    state, events = learned
    rates = [event.images_per_s for event in events]
    assert min(rates) <= state.images_per_s <= max(rates)


@pytest.mark.parametrize("config", VARIETY.values(), ids=VARIETY)
def test_the_same_seed_gives_the_same_events(config, small_mnist):
    first = events_of(config, small_mnist)
    torch.rand(7)  # what others draw in between must not matter
    assert numbers(events_of(config, small_mnist)) == numbers(first)


def test_another_seed_gives_other_events(small_mnist):
    first = events_of(SMALL, small_mnist)
    other = events_of(replace(SMALL, seed=1), small_mnist)
    assert first[0].train_loss != other[0].train_loss


@pytest.mark.parametrize(
    "change",
    [
        {"dropout": 0.5},
        {"rotation_deg": 20.0},
        {"shift_px": 3.0},
        {"scale": 0.3},
        {"epsilon": 0.2},
        {"weight_decay": 1.0},
        {"label_smoothing": 0.3},
        {"width": 0.5},
        {"batch_size": 32},
        {"optimizer": "sgd"},
        {"schedule": "constant"},
        {"learning_rate": 1e-3},
        {"num_train_images": 600},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_knob_changes_what_is_learned(change, small_mnist):
    plain = replace(SMALL, epochs=1)
    changed = events_of(replace(plain, **change), small_mnist)
    assert changed[-1].val_loss != events_of(plain, small_mnist)[-1].val_loss


@pytest.mark.parametrize("num_steps", range(1, 8))
def test_one_cycle_fits_any_number_of_steps(num_steps, small_mnist):
    # Four steps once had a warm-up of length 0, by which torch divides.
    config = TrainConfig(num_train_images=500, batch_size=-(-500 // num_steps), epochs=1)
    assert [event.step for event in train(TrainState(config), small_mnist)][-1] == num_steps


def test_one_cycle_warms_up_then_cools_to_zero(small_mnist):
    events = events_of(replace(SMALL, epochs=3), small_mnist)
    rates = [event.learning_rate for event in events]
    peak = rates.index(max(rates))
    assert max(rates) == pytest.approx(SMALL.learning_rate, rel=0.02)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] < 0.01 * max(rates)


def test_a_constant_schedule_stays(small_mnist):
    events = events_of(replace(SMALL, schedule="constant"), small_mnist)
    assert {event.learning_rate for event in events} == {SMALL.learning_rate}


def test_train_loss_leaves_label_smoothing_out(small_mnist):
    # Equal weights before the first step: the plain loss of the first batch is the same.
    smoothed = events_of(replace(SMALL, epochs=1, label_smoothing=0.5), small_mnist)
    plain = events_of(replace(SMALL, epochs=1, label_smoothing=0.0), small_mnist)
    assert smoothed[0].step == plain[0].step == 1
    assert smoothed[0].train_loss == plain[0].train_loss


def test_only_training_and_validation_are_touched(small_mnist):
    guarded = DataSet(train=small_mnist.train, val=small_mnist.val, test=Untouchable())
    assert events_of(SMALL, guarded)


def test_only_the_asked_number_of_training_images_is_used(small_mnist):
    head = small_mnist.train.head(500)
    only_head = replace(small_mnist, train=head)
    assert numbers(events_of(SMALL, only_head)) == numbers(events_of(SMALL, small_mnist))


def test_the_kept_epoch_is_the_best_on_validation(learned, small_mnist):
    state, events = learned
    validated = [event for event in events if event.val_accuracy is not None]
    best = max(validated, key=lambda event: (event.val_accuracy, -event.val_loss))
    assert state.best_epoch == best.epoch
    assert state.best_val_accuracy == best.val_accuracy
    assert [event.epoch for event in validated if event.is_best][-1] == best.epoch
    kept = evaluate(state.best_model(), small_mnist.val)
    assert (kept.accuracy, kept.loss) == (best.val_accuracy, best.val_loss)


@pytest.mark.parametrize("name", ["dropout", "augmentation"])
def test_looking_at_the_kept_weights_does_not_disturb_the_run(name, small_mnist):
    # The worker saves the kept weights while it trains; headless training does not.
    expected = numbers(events_of(VARIETY[name], small_mnist))
    state = TrainState(VARIETY[name])
    watched = []
    for event in train(state, small_mnist):
        watched.append(event)
        state.best_model()
    assert numbers(watched) == expected


def test_a_later_worse_epoch_does_not_replace_the_kept_weights(small_mnist):
    state = TrainState(replace(SMALL, epochs=3))
    steps = iter([0.5, 0.9, 0.7])
    losses = iter([1.0, 0.4, 0.6])
    kept = None
    for event in train(state, small_mnist):
        if event.val_accuracy is None:
            continue
        # Replay the choice on made-up validation figures.
        if event.epoch == 1:
            state.best_epoch, state.best_val_accuracy = 0, -1.0
        state.keep_if_best(next(losses), next(steps))
        if event.epoch == 2:
            kept = {name: tensor.clone() for name, tensor in state.model.state_dict().items()}
    assert (state.best_epoch, state.best_val_accuracy) == (2, 0.9)
    assert all(torch.equal(state.best_weights[name], kept[name]) for name in kept)


def test_equal_accuracy_is_decided_by_the_lower_loss():
    state = TrainState(SMALL)
    assert state.keep_if_best(1.0, 0.5)
    assert not state.keep_if_best(1.0, 0.5)
    assert not state.keep_if_best(1.1, 0.5)
    assert state.keep_if_best(0.9, 0.5)


def test_training_stops_when_validation_has_not_improved_for_patience_epochs(small_mnist):
    # At a rate this small nothing improves by an image for long.
    config = replace(SMALL, epochs=20, patience=2, learning_rate=1e-6, schedule="constant")
    state = TrainState(config)
    validated = [e for e in train(state, small_mnist) if e.val_accuracy is not None]
    assert len(validated) < 20
    assert state.is_finished
    improved = [validated[0].epoch]
    best = (validated[0].val_accuracy, -validated[0].val_loss)
    for event in validated[1:]:
        if event.val_accuracy > best[0]:
            improved.append(event.epoch)
            best = (event.val_accuracy, -event.val_loss)
    assert validated[-1].epoch == improved[-1] + 2


def test_a_fluctuating_accuracy_does_not_outwait_patience():
    state = TrainState(replace(SMALL, epochs=50, patience=2))
    state.step = STEPS_PER_EPOCH
    state.keep_if_best(0.5, 0.9)
    assert not state.is_finished
    state.step = 2 * STEPS_PER_EPOCH
    state.keep_if_best(0.6, 0.8)
    assert not state.is_finished
    state.step = 3 * STEPS_PER_EPOCH
    state.keep_if_best(0.6, 0.8)
    assert state.is_finished


def test_without_patience_all_epochs_run(small_mnist):
    config = replace(SMALL, epochs=4, patience=0, learning_rate=1e-6)
    assert events_of(config, small_mnist)[-1].epoch == 4


def test_a_batch_larger_than_the_data_is_one_step_an_epoch(small_mnist):
    events = events_of(replace(SMALL, batch_size=2048), small_mnist)
    assert [(event.step, event.epoch) for event in events] == [(1, 1), (2, 2)]


def test_a_finished_state_yields_nothing_more(learned, small_mnist):
    assert list(train(learned[0], small_mnist)) == []


@pytest.mark.slow("trains twice")
def test_adversarial_training_makes_a_network_harder_to_fool(small_mnist):
    from foundry.training.augmentation import fgsm

    images = normalize(small_mnist.val.images)
    losses = {}
    for epsilon in (0.0, 0.2):
        state = TrainState(replace(SMALL, num_train_images=3000, epochs=3, epsilon=epsilon))
        for _ in train(state, small_mnist):
            pass
        model = state.best_model()
        attacked = fgsm(model, images, small_mnist.val.labels, 0.2)
        with torch.no_grad():
            logits = model(attacked)
        losses[epsilon] = torch.nn.functional.cross_entropy(logits, small_mnist.val.labels).item()
    assert losses[0.2] < losses[0.0]


@pytest.mark.parametrize("num_images", [1, 7, 1001])
def test_evaluate_agrees_with_sklearn(lenet, mnist, num_images):
    # Images turned upside down, so that there are mistakes to count.
    split = Split(mnist.test.images[:num_images].flip(1), mnist.test.labels[:num_images])
    measured = evaluate(lenet, split)
    with torch.no_grad():
        probs = lenet(normalize(split.images)).softmax(1).numpy().astype(np.float64)
    probs /= probs.sum(axis=1, keepdims=True)
    labels = split.labels.numpy()
    assert measured.accuracy == pytest.approx(accuracy_score(labels, probs.argmax(1)))
    assert measured.loss == pytest.approx(log_loss(labels, probs, labels=range(10)), rel=1e-4)
    np.testing.assert_allclose(measured.probs.numpy(), probs, atol=1e-5)


def test_evaluate_turns_dropout_off(mnist):
    state = TrainState(replace(SMALL, dropout=0.9))
    state.model.train()
    split = Split(mnist.test.images[:50], mnist.test.labels[:50])
    assert torch.equal(evaluate(state.model, split).probs, evaluate(state.model, split).probs)
