"""Photos attacked, beside captum's attack; judged as a file holds them."""

import numpy as np
import pytest
import torch
from captum.robust import FGSM as CaptumFgsm
from captum.robust import PGD as CaptumPgd
from PIL import Image
from torch import nn

from foundry.data.photos import frame_photo
from foundry.errors import InputError
from foundry.models import load_model
from foundry.models.attacks.perturbing import FGSM, PGD
from foundry.photos import load_photo_model
from foundry.photos.attack import attack_photo, find_smallest, read_frame
from foundry.ui.photos.examples import open_example

GOLDFISH = 1


@pytest.fixture(scope="module")
def network():
    return load_model("efficientnet-lite0")


class _OfPixels(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, pixels):
        return self.network(pixels * 2 - 1)


# Where an answer is nearly certain, signs of gradients are rounding, and twenty steps are another
# picture on every machine. `tests/models/attacks` compares those in float64.
@pytest.mark.parametrize(("method", "target"), [(FGSM, None), (FGSM, GOLDFISH), (PGD, None)])
def test_it_is_captums_attack_rounded_to_levels(network, method, target):
    photo = open_example("A cup")
    attack = attack_photo(network, photo, target, method, 3)
    whole = np.asarray(frame_photo(photo)).transpose(2, 0, 1)[None].astype(np.float32)
    pixels = torch.from_numpy(whole) / 255
    label = torch.tensor([attack.index if target is None else target])
    arguments = _OfPixels(network), nn.CrossEntropyLoss(reduction="none"), 0.0, 1.0
    is_targeted = target is not None
    if method == FGSM:
        own = CaptumFgsm(*arguments)
        own.zero_thresh = 0
        expected = own.perturb(pixels, 3 / 255, label, targeted=is_targeted)
    else:
        own = CaptumPgd(*arguments)
        own.fgsm.zero_thresh = 0
        step = 2.5 * 3 / 255 / 20
        expected = own.perturb(pixels, 3 / 255, step, 20, label, targeted=is_targeted)
    levels = (expected[0].detach() * 255).round().permute(1, 2, 0).numpy()
    after = np.asarray(attack.after).astype(np.float32)
    assert np.abs(after - whole[0].transpose(1, 2, 0)).max() <= 3
    if method == FGSM:
        difference = np.abs(after - levels)
        # Where a gradient is nearly zero, rounding turns its sign.
        assert difference.max() <= 6 and (difference > 0).mean() < 0.02
    else:
        # Twenty such steps part; how far they take the answer away does not.
        probs = [
            read_frame(network, Image.fromarray(one.astype(np.uint8))) for one in (after, levels)
        ]
        own_loss, expected_loss = (-np.log(prob[attack.index]) for prob in probs)
        assert own_loss == pytest.approx(expected_loss, rel=0.1)


def test_a_cup_becomes_a_goldfish_and_nobody_sees_it(network):
    attack = attack_photo(network, open_example("A cup"), GOLDFISH, PGD, 2)
    assert (attack.index, attack.target) == (967, GOLDFISH)
    assert attack.probs_before.argmax() == 967 and attack.probs_after.argmax() == GOLDFISH
    assert attack.fools(attack.probs_after) and not attack.fools(attack.probs_before)
    assert np.abs(attack.noise).max() <= 2 and attack.noise.any()
    assert attack.after.size == (224, 224)
    model = load_photo_model("efficientnet-lite0")
    read = read_frame(model.predict, attack.after)
    assert read == pytest.approx(attack.probs_after, abs=1e-6)


def test_the_smallest_strength_works_and_none_below_does(network):
    photo = open_example("A cup")
    smallest = find_smallest(network, photo, None, FGSM)
    assert smallest is not None and smallest > 1
    for strength in range(1, smallest + 1):
        attack = attack_photo(network, photo, None, FGSM, strength)
        assert attack.fools(attack.probs_after) is (strength == smallest)
    # One step towards a goldfish is too coarse, however long it is.
    assert find_smallest(network, photo, GOLDFISH, FGSM) is None


def test_a_strength_of_zero_changes_nothing(network):
    attack = attack_photo(network, open_example("A cat"), None, PGD, 0)
    assert not attack.noise.any() and not attack.fools(attack.probs_after)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((None, "cw", 2), "There is no attack “cw”"),
        ((None, PGD, 17), "Strength is “17”, but only a number from 0 to 16 is accepted"),
        ((1000, PGD, 2), "There is no class 1000"),
        ((967, PGD, 2), "its name already"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(network, arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        attack_photo(network, open_example("A cup"), *arguments)


def test_the_shared_network_is_left_as_it_was(network):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    attack_photo(network, open_example("A cat"))
    assert all(one.grad is None and not one.requires_grad for one in network.parameters())
    assert all(torch.equal(network.state_dict()[name], before[name]) for name in before)
