"""What is said of a finished run, of curves that are written down here."""

import pytest

from foundry.training import TrainEvent
from foundry.ui.train.headline import describe_learning


def curves(train_losses, val_losses, accuracies):
    return [
        TrainEvent(
            step=10 * epoch,
            num_steps=10 * len(val_losses),
            epoch=epoch,
            train_loss=train,
            learning_rate=0.01,
            val_loss=val,
            val_accuracy=accuracy,
            is_best=False,
            images_per_s=1000.0,
            elapsed_s=float(epoch),
        )
        for epoch, (train, val, accuracy) in enumerate(
            zip(train_losses, val_losses, accuracies, strict=True), start=1
        )
    ]


@pytest.mark.parametrize(
    ("train_losses", "val_losses", "accuracies", "said"),
    [
        ([1.0, 0.1, 0.01, 0.001], [0.9, 0.4, 0.5, 0.7], [0.7, 0.85, 0.86, 0.86], "From epoch 2 on"),
        ([0.5, 0.2, 0.1], [0.3, 0.15, 0.1], [0.90, 0.94, 0.97], "still getting better"),
        (
            [0.3, 0.05, 0.03],
            [0.1, 0.05, 0.048],
            [0.97, 0.985, 0.986],
            "nothing was learned by heart",
        ),
        ([2.3, 2.3], [2.3, 2.3], [0.11, 0.1], "next to nothing"),
        # Both losses rise: the training is restless, and nothing is learned by heart.
        ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [0.98, 0.97, 0.96], "nothing was learned by heart"),
    ],
)
def test_what_the_curves_show_is_said(train_losses, val_losses, accuracies, said):
    assert said in describe_learning(curves(train_losses, val_losses, accuracies))


def test_of_a_run_that_was_stopped_in_its_first_epoch_nothing_is_said():
    assert describe_learning([]) == ""
