"""What is made of an attack: who is fooled, the smallest strength, the accuracy that is left."""

import numpy as np
import pytest
import torch

from foundry.data import Split, normalize_pixels
from foundry.digits.attack import STRENGTHS, attack_digit, measure_robustness, read_pixels
from foundry.errors import InputError
from foundry.models import load_predictor
from foundry.models.attacks.perturbing import METHODS, PGD, perturb
from foundry.models.variants import VARIANTS


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("target", [None, 3])
def test_the_smallest_strength_works_and_none_below_does(lenet, mnist, method, target):
    image = mnist.test.images[0].numpy()
    smallest = attack_digit(lenet, image, target, method).smallest_epsilon
    if smallest is None:
        assert not attack_digit(lenet, image, target, method, STRENGTHS[-1]).is_fooled
        return
    assert smallest in STRENGTHS
    assert attack_digit(lenet, image, target, method, smallest).is_fooled
    for below in [one for one in STRENGTHS if one < smallest][-4:]:
        assert not attack_digit(lenet, image, target, method, below).is_fooled


def test_a_seven_is_fooled_into_a_chosen_digit(lenet, mnist):
    image = mnist.test.images[0].numpy()
    attack = attack_digit(lenet, image, target=3, epsilon=0.3)
    assert (attack.digit, attack.target) == (7, 3)
    assert attack.is_fooled and attack.probs_after.argmax() == 3
    assert attack.probs_before.argmax() == 7
    assert attack.probs_after.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(image / 255 + attack.noise, attack.pixels, atol=1e-6)
    assert np.abs(attack.noise).max() <= 0.3 + 1e-6
    # What others read is the very same picture.
    np.testing.assert_allclose(read_pixels(lenet, attack.pixels), attack.probs_after, atol=1e-5)
    pruned = load_predictor("lenet", variant=VARIANTS["pruned"])
    assert read_pixels(pruned, attack.pixels).shape == (10,)


def test_a_strength_of_zero_changes_nothing(lenet, mnist):
    attack = attack_digit(lenet, mnist.test.images[0].numpy(), epsilon=0)
    assert not attack.noise.any() and not attack.is_fooled
    np.testing.assert_allclose(attack.probs_before, attack.probs_after, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_accuracy_over_strength_is_counted_by_hand(lenet, mnist, method):
    digits = Split(mnist.test.images[:300], mnist.test.labels[:300])
    events = list(measure_robustness(lenet, digits, method, [0, 0.15]))
    # 250 digits at a time.
    assert [event.share for event in events] == [0.25, 0.5, 0.75, 1]
    assert [len(event.accuracies) for event in events] == [0, 1, 1, 2]
    pixels = digits.images.unsqueeze(1).float() / 255
    for epsilon, accuracy in zip([0, 0.15], events[-1].accuracies, strict=True):
        attacked = perturb(
            lenet, pixels, digits.labels, torch.full((300,), epsilon), method, normalize_pixels
        )
        read = [read_pixels(lenet, one[0].numpy()).argmax() for one in attacked]
        assert accuracy == np.mean(np.array(read) == digits.labels.numpy())


def test_another_network_may_read_what_one_network_attacks(lenet, mnist):
    digits = mnist.test.head(100)
    other = load_predictor("lenet", variant=VARIANTS["pruned"])
    *_, own = measure_robustness(lenet, digits, PGD, [0.2])
    *_, carried = measure_robustness(lenet, digits, PGD, [0.2], predictor=other)
    assert own.accuracies[0] < carried.accuracies[0]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"method": "cw"}, "There is no attack “cw”; choose one of fgsm, pgd"),
        ({"epsilon": 0.6}, "from 0 to 0.5 is accepted"),
        ({"epsilon": float("nan")}, "from 0 to 0.5 is accepted"),
        ({"epsilon": "much"}, "from 0 to 0.5 is accepted"),
        ({"target": 12}, "“12” is no digit"),
        ({"target": 3.0}, "“3.0” is no digit; 0 to 9 are accepted"),
        ({"target": 7}, "read as 7 already"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(lenet, mnist, options, sentence):
    with pytest.raises(InputError, match=sentence):
        attack_digit(lenet, mnist.test.images[0].numpy(), **options)


def test_the_shared_model_is_left_as_it_was(lenet, mnist):
    before = {name: tensor.clone() for name, tensor in lenet.state_dict().items()}
    attack_digit(lenet, mnist.test.images[0].numpy())
    assert all(one.grad is None and not one.requires_grad for one in lenet.parameters())
    assert all(torch.equal(lenet.state_dict()[name], before[name]) for name in before)
