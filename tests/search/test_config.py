import pytest

from foundry.search import SearchConfig
from foundry.search.config import READINGS_PER_EPOCH, REDUCTION_FACTOR


@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 5, 8, 100])
def test_the_rungs_are_those_of_ray(epochs):
    from ray.tune.schedulers import ASHAScheduler

    longest = READINGS_PER_EPOCH * epochs
    asha = ASHAScheduler(
        time_attr="reading",
        metric="val_accuracy",
        mode="max",
        max_t=longest,
        grace_period=1,
        reduction_factor=REDUCTION_FACTOR,
    )
    milestones = sorted(milestone for milestone, _ in asha._brackets[0]._rungs)
    # At its end a trial ends anyway.
    expected = [one / READINGS_PER_EPOCH for one in milestones if one < longest]
    assert SearchConfig(epochs=epochs).rungs == tuple(expected)
    assert SearchConfig(epochs=epochs, sampler="random").rungs == ()
