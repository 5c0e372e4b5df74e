import math
from dataclasses import FrozenInstanceError, asdict, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundry.errors import InputError
from foundry.models import available_architectures
from foundry.training import TrainConfig
from foundry.training.config import LIMITS, OPTIMIZERS, PRESETS, SCHEDULES

DEFAULTS = asdict(TrainConfig())
WHOLE = [name for name in LIMITS if isinstance(DEFAULTS[name], int)]
CHOICES = {
    "model": tuple(available_architectures()),
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}


def test_every_knob_has_limits_or_choices():
    others = {field.name for field in fields(TrainConfig)} - set(LIMITS) - set(CHOICES)
    assert others == {"dataset"}


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("end", [0, 1])
def test_both_ends_of_a_range_are_accepted(name, end):
    assert getattr(TrainConfig(**{name: LIMITS[name][end]}), name) == LIMITS[name][end]


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize(
    ("end", "direction"), [(0, -math.inf), (1, math.inf)], ids=["below", "above"]
)
def test_the_nearest_value_outside_a_range_is_refused(name, end, direction):
    limit = LIMITS[name][end]
    outside = (
        limit + math.copysign(1, direction) if name in WHOLE else math.nextafter(limit, direction)
    )
    with pytest.raises(InputError, match=name):
        TrainConfig(**{name: outside})


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, True, False, "abc", "3", "", None, [1], {}, 1j],
    ids=lambda value: str(value)[:8],
)
def test_what_is_no_finite_number_is_refused_by_name(name, value):
    with pytest.raises(InputError, match=rf"^{name} is .* accepted\.$"):
        TrainConfig(**{name: value})


@pytest.mark.parametrize("name", ["epochs", "learning_rate"])
def test_an_integer_beyond_the_range_of_floats_is_refused(name):
    with pytest.raises(InputError, match=name):
        TrainConfig(**{name: 10**400})


@pytest.mark.parametrize("name", WHOLE)
def test_a_fraction_is_refused_where_a_whole_number_is_wanted(name):
    with pytest.raises(InputError, match=f"{name}.*whole number"):
        TrainConfig(**{name: LIMITS[name][0] + 2.5})


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_number_sent_as_a_float_becomes_an_int(name):
    value = getattr(TrainConfig(**{name: LIMITS[name][0] + 1.0}), name)
    assert type(value) is int
    assert value == LIMITS[name][0] + 1


def test_a_whole_number_is_accepted_where_a_fraction_may_stand():
    value = TrainConfig(rotation_deg=10).rotation_deg
    assert type(value) is float
    assert value == 10.0


@pytest.mark.parametrize(("name", "choices"), CHOICES.items())
def test_each_listed_choice_is_accepted(name, choices):
    for choice in choices:
        assert getattr(TrainConfig(**{name: choice}), name) == choice


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("value", ["resnet", "", None, 3, math.nan, ["adam"], {}])
def test_an_unlisted_choice_is_refused_with_the_list(name, value):
    with pytest.raises(InputError, match=rf"{name}.*{CHOICES[name][0]}.*accepted"):
        TrainConfig(**{name: value})


def test_the_sentence_says_what_is_wrong_and_what_is_accepted():
    with pytest.raises(InputError) as refused:
        TrainConfig(epochs=-1)
    assert str(refused.value) == "epochs is -1; a whole number from 1 to 100 is accepted."
    with pytest.raises(InputError) as refused:
        TrainConfig(learning_rate="abc")
    assert "learning_rate is “abc”, which is not a number" in str(refused.value)


def test_a_large_limit_is_written_so_that_it_can_be_used():
    with pytest.raises(InputError) as refused:
        TrainConfig(num_train_images=60_000)
    # The specification: a slider from 500 to 55,000.
    assert "500 to 55,000" in str(refused.value)
    with pytest.raises(InputError) as refused:
        TrainConfig(seed=-1)
    assert f"{2**31 - 1:,}" in str(refused.value)


def test_a_refused_large_value_is_shown_as_it_was_sent():
    with pytest.raises(InputError, match=r"60000|60,000"):
        TrainConfig(num_train_images=60_000)
    with pytest.raises(InputError, match=r"1234567|1,234,567"):
        TrainConfig(num_train_images=1_234_567)


def test_a_config_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        TrainConfig().epochs = 5


def test_there_are_the_presets_and_the_first_is_the_default():
    # The specification names them.
    assert list(PRESETS) == [
        "Fast: 99% in seconds",
        "Few images",
        "The article's recipe",
        "Overfit it",
        "Robust",
        "LSTM, row by row",
        "Transformer, patch by patch",
    ]
    assert next(iter(PRESETS.values())) == TrainConfig()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_accepted_as_the_form_sends_it_back(name):
    assert TrainConfig(**asdict(PRESETS[name])) == PRESETS[name]


def test_presets_do_what_their_names_say():
    overfit, robust = PRESETS["Overfit it"], PRESETS["Robust"]
    # The specification: 500 images, nothing regularised; augmentation + adversarial.
    assert overfit.num_train_images == 500
    regularised = ("weight_decay", "dropout", "label_smoothing", "rotation_deg", "shift_px")
    for name in (*regularised, "scale", "patience", "epsilon"):
        assert getattr(overfit, name) == 0, name
    assert robust.epsilon > 0
    assert robust.rotation_deg > 0


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["adam", "sgd", "lenet", "cnn", "constant"]),
)


@given(st.dictionaries(st.sampled_from([field.name for field in fields(TrainConfig)]), anything))
def test_whatever_is_accepted_lies_within_the_limits(knobs):
    try:
        config = TrainConfig(**knobs)
    except InputError as error:
        assert str(error).endswith("accepted.")
        return
    for name, (lowest, highest) in LIMITS.items():
        value = getattr(config, name)
        assert lowest <= value <= highest
        assert type(value) is (int if name in WHOLE else float)
    for name, choices in CHOICES.items():
        assert getattr(config, name) in choices
    assert config.dataset == "mnist"


@given(
    st.sampled_from(sorted(LIMITS)).flatmap(
        lambda name: st.tuples(st.just(name), st.floats(*LIMITS[name]))
    )
)
def test_every_value_within_the_limits_is_accepted(knob):
    name, value = knob
    value = round(value) if name in WHOLE else value
    assert getattr(TrainConfig(**{name: value}), name) == value
