from dataclasses import replace

import pytest
import torch

from foundry.compression.recovery import (
    RECOVERY,
    ImportanceEvent,
    PrunedTraining,
    PruneEvent,
    RecoveryEvent,
)
from foundry.errors import InputError
from foundry.models.networks import count_parameters
from foundry.training import TrainConfig, TrainState
from foundry.training.evaluation import evaluate

SHORT = replace(RECOVERY, epochs=2, batch_size=64, num_train_images=2_000, learning_rate=2e-3)


@pytest.fixture(scope="module")
def done(lenet, small_mnist):
    training = PrunedTraining(lenet, 0.6, small_mnist, SHORT)
    return training, list(training)


@pytest.mark.slow("trains")
def test_events_come_in_order(done):
    _, (importance, pruned, *recovery) = done
    assert isinstance(importance, ImportanceEvent)
    assert isinstance(pruned, PruneEvent)
    assert recovery
    assert all(isinstance(event, RecoveryEvent) for event in recovery)
    steps = [event.event.step for event in recovery]
    assert steps == sorted(steps)


def test_importance_has_a_number_for_every_channel(done, lenet):
    _, (importance, *_) = done
    assert {name: len(scores) for name, scores in importance.scores.items()} == {
        "conv1": 6, "conv2": 16, "fc1": 120, "fc2": 84, "fc3": 10,
    }  # fmt: skip
    assert all(score >= 0 for scores in importance.scores.values() for score in scores)
    assert importance.parameters == count_parameters(lenet) == 61_706


def test_pruning_costs_accuracy_and_recovery_brings_it_back(done, small_mnist):
    training, (importance, pruned, *recovery) = done
    accuracies = [e.event.val_accuracy for e in recovery if e.event.val_accuracy is not None]
    assert pruned.val_accuracy < importance.val_accuracy
    assert max(accuracies) > pruned.val_accuracy
    model = training.best_model()
    assert evaluate(model, small_mnist.val).accuracy == max(accuracies)
    assert count_parameters(model) == pruned.parameters < 0.3 * importance.parameters


def test_the_dense_network_is_not_modified(done, lenet, small_mnist):
    _, (importance, *_) = done
    assert evaluate(lenet, small_mnist.val).accuracy == importance.val_accuracy
    assert not any(parameter.requires_grad for parameter in lenet.parameters())


@pytest.mark.slow("trains")
def test_the_same_seed_gives_the_same_network(done, lenet, small_mnist):
    again = PrunedTraining(lenet, 0.6, small_mnist, SHORT)
    for _ in again:
        pass
    weights = again.best_model().state_dict()
    for name, tensor in done[0].best_model().state_dict().items():
        assert torch.equal(tensor, weights[name])


@pytest.mark.slow("trains")
def test_it_can_be_stopped_at_any_event(lenet, small_mnist):
    training = PrunedTraining(lenet, 0.5, small_mnist, SHORT)
    with pytest.raises(RuntimeError, match="Nothing was pruned yet"):
        training.best_model()
    events = iter(training)
    next(events), next(events), next(events)
    assert training.best_model()(torch.zeros(1, 1, 28, 28)).shape == (1, 10)


def test_a_bad_ratio_is_refused(lenet, small_mnist):
    with pytest.raises(InputError, match=r"0 to 0\.95"):
        list(PrunedTraining(lenet, 2.0, small_mnist, SHORT))


def test_training_may_start_from_a_network_and_leaves_it_alone(lenet):
    state = TrainState(TrainConfig(num_train_images=500), start=lenet)
    for name, tensor in state.model.state_dict().items():
        assert torch.equal(tensor, lenet.state_dict()[name])
    assert all(parameter.requires_grad for parameter in state.model.parameters())
    with torch.no_grad():
        state.model.fc3.weight.zero_()
    assert lenet.fc3.weight.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in lenet.parameters())


@pytest.mark.slow("trains")
def test_the_number_of_threads_changes_neither_what_goes_nor_what_is_learned(lenet, small_mnist):
    before = torch.get_num_threads()
    runs = []
    for num_threads in (1, 2):
        torch.set_num_threads(num_threads)
        training = PrunedTraining(lenet, 0.6, small_mnist, replace(SHORT, epochs=1))
        importance, pruned, *_ = training
        runs.append((importance.scores, pruned.val_accuracy, training.best_model().state_dict()))
    torch.set_num_threads(before)
    (scores, accuracy, weights), (other_scores, other_accuracy, other_weights) = runs
    assert (other_scores, other_accuracy) == (scores, accuracy)
    assert all(torch.equal(other_weights[name], weights[name]) for name in weights)
