"""Learning a hand: what is learned, what is forgotten, and what is kept."""

import numpy as np
import pytest
import scipy
import torch

from foundry.data import DIGITS, DataSet, Split, normalize
from foundry.errors import ArtifactError, InputError
from foundry.models import available_architectures, build_model, load_model
from foundry.models.networks.growing import grow_head
from foundry.runs.folders import RUNS_DIR_VARIABLE
from foundry.training.hand import learning
from foundry.training.hand import runs as hand_runs
from foundry.training.hand.learning import learn_hand, measure, plan_lesson
from foundry.training.hand.runs import keep_hand
from foundry.training.runs import list_own_runs


def turn(images):
    """As a hand writes that leans far over."""
    turned = scipy.ndimage.rotate(images.numpy(), 40, axes=(2, 1), reshape=False, order=1)
    return torch.from_numpy(turned)


@pytest.fixture(scope="module")
def drawings(mnist):
    """Images and labels of 30 drawings, fifteen each of two digits; of each ten judge."""
    places = [
        place
        for digit in (4, 7)
        for place in torch.nonzero(mnist.val.labels == digit).flatten()[:15].tolist()
    ]
    labels = [str(int(label)) for label in mnist.val.labels[places]]
    return turn(mnist.val.images[places]), labels, (10 * [True] + 5 * [False]) * 2


@pytest.fixture(scope="module")
def little_mnist(mnist):
    return DataSet(mnist.train, mnist.val.head(200), mnist.test.head(1_000))


def learn(lesson, data, has_replay, **options):
    learned = learn_hand(lesson, data, has_replay, **options)
    events = []
    while True:
        try:
            events.append(next(learned))
        except StopIteration as end:
            return events, end.value


@pytest.fixture(scope="module")
def outcomes(lenet, drawings, little_mnist):
    lesson = plan_lesson(lenet, *drawings)
    return lesson, {
        has_replay: learn(lesson, little_mnist, has_replay) for has_replay in (True, False)
    }


def test_with_replay_it_learns_and_keeps_and_without_it_forgets(lenet, little_mnist, outcomes):
    lesson, ends = outcomes
    before = measure(lenet, lesson.aside, little_mnist)
    scores = {has_replay: learned.scores for has_replay, (_, learned) in ends.items()}
    assert before.num_own == 20
    assert scores[True].own > before.own
    # Of a thousand digits.
    assert scores[True].mnist >= before.mnist - 0.006
    assert scores[False].mnist < scores[True].mnist - 0.01


def test_both_make_as_many_updates_and_say_how_far_they_are(outcomes):
    _, ends = outcomes
    assert {learned.state.step for _, learned in ends.values()} == {122}
    for events, learned in ends.values():
        shares = [event.share for event in events]
        assert shares == sorted(shares)
        assert shares[-1] == 1
        assert learned.events[-1].step == learned.events[-1].num_steps
    assert ends[False][0][-1].sample_accuracy < ends[True][0][-1].sample_accuracy


def test_the_network_that_it_went_on_from_is_as_it_was(lenet, outcomes):
    fresh = load_model("lenet")
    for one, other in zip(lenet.parameters(), fresh.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_same_drawings_give_the_same_network(lenet, drawings, little_mnist, monkeypatch):
    monkeypatch.setattr(learning, "NUM_REPLAYED", 400)
    monkeypatch.setattr(learning, "NUM_VARIED", 100)
    lesson = plan_lesson(lenet, *drawings)
    first, second = (learn(lesson, little_mnist, True)[1].network.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = learn(lesson, little_mnist, True, seed=1)[1].network.state_dict()
    assert not all(torch.equal(first[name], other[name]) for name in first)


def heart():
    """A picture that is no digit, a little different each time."""
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(np.linspace(-1.4, 1.4, 28), np.linspace(1.4, -1.4, 28))
    while True:
        size = rng.uniform(0.8, 1.1)
        u, v = x / size, y / size
        curve = (u**2 + v**2 - 1) ** 3 - u**2 * v**3
        yield np.where(np.abs(curve) < 0.12, 255, 0).astype(np.uint8)


def test_a_class_of_ones_own_is_one_more_answer(lenet, drawings, little_mnist):
    images, labels, held_out = drawings
    hearts = heart()
    added = torch.from_numpy(np.stack([next(hearts) for _ in range(6)]))
    lesson = plan_lesson(
        lenet,
        torch.cat([images, added]),
        [*labels, *6 * ["heart"]],
        [*held_out, True, *5 * [False]],
    )
    assert lesson.classes == (*DIGITS, "heart")
    _, learned = learn(lesson, little_mnist, True)
    assert learned.network.classes == lesson.classes
    new = torch.from_numpy(np.stack([next(hearts) for _ in range(20)]))
    answers = learned.network(normalize(new)).argmax(1)
    assert (answers == 10).float().mean() > 0.9
    assert learned.scores.mnist > 0.98


@pytest.mark.parametrize("architecture", available_architectures())
def test_a_grown_head_says_of_the_old_classes_what_it_said(architecture):
    network = build_model(architecture, 0.5).eval()
    images = normalize(torch.randint(0, 256, (5, 28, 28), dtype=torch.uint8))
    grown = grow_head(network, (*DIGITS, "heart", "A")).eval()
    assert grown.config["classes"] == [*DIGITS, "heart", "A"]
    logits = grown(images)
    assert torch.allclose(logits[:, :10], network(images), atol=1e-6)
    assert not logits[:, 10:].any()
    assert network.last.out_features == 10


def test_too_few_drawings_are_refused(lenet, drawings):
    images, labels, held_out = drawings
    with pytest.raises(InputError, match="at least 5 drawings"):
        plan_lesson(lenet, images[:4], labels[:4], held_out[:4])
    with pytest.raises(InputError, match="one to judge by"):
        plan_lesson(lenet, images[:9], labels[:9], [False] * 9)
    with pytest.raises(InputError, match="“heart” is new to the network"):
        plan_lesson(lenet, images[:9], [*labels[:7], "heart", "heart"], held_out[:9])


def test_of_a_class_with_few_drawings_there_are_as_many_copies_as_asked_for():
    labels = torch.tensor([3] * 20 + [7])
    varied = learning._vary(
        Split(torch.zeros(21, 28, 28, dtype=torch.uint8), labels),
        {3: 50, 7: 50},
        torch.Generator().manual_seed(0),
    )
    assert varied.labels.bincount().tolist() == [0, 0, 0, 50, 0, 0, 0, 50]
    # Paper stays paper.
    assert not varied.images.any()


def test_it_is_kept_as_a_run_of_its_owners(outcomes, tmp_path, monkeypatch):
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(tmp_path))
    _, ends = outcomes
    learned = ends[True][1]
    run = keep_hand(learned, "lenet", True, "alice")
    assert list_own_runs("alice") == [run]
    assert not list_own_runs("bob")
    assert run.status == "done"
    assert run.name == "My hand"
    assert run.start == "lenet"
    assert run.is_on_mnist
    assert list(learned.events) == run.events
    images = normalize(torch.randint(0, 256, (5, 28, 28), dtype=torch.uint8))
    assert torch.allclose(load_model(run.best_folder)(images), learned.network(images), atol=1e-5)


def test_nothing_is_left_of_one_that_cannot_be_kept(outcomes, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(tmp_path))
    monkeypatch.setattr(hand_runs, "save_model", fail)
    with pytest.raises(ArtifactError, match="No space left"):
        keep_hand(outcomes[1][True][1], "lenet", True, "alice")
    assert list(tmp_path.iterdir()) == []
