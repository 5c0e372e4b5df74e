import re
import sys
from dataclasses import replace

from safetensors import safe_open

from foundry.data import load_mnist
from foundry.models import load_model
from foundry.models.loading import WEIGHTS_DIR
from foundry.models.networks import count_parameters
from foundry.recipes import lenet as recipe
from foundry.training.evaluation import evaluate


def test_pruning_writes_a_small_network_and_a_card_with_its_figures(tmp_path, monkeypatch, capsys):
    short = replace(recipe.RECOVERY, epochs=1, num_train_images=500, batch_size=100)
    monkeypatch.setattr(recipe, "RECOVERY", short)
    out = tmp_path / "pruned"
    monkeypatch.setattr(sys, "argv", ["lenet", "--prune", "--device", "cpu", "--out", str(out)])
    recipe.main()

    model = load_model(out)
    # The ratios of the recipe, by hand: 17% of 6, 25% of 16, half of 120 and of 84.
    assert model.config["channels"] == [4, 12]
    assert model.config["hidden_dims"] == [60, 42]
    with safe_open(out / "model.safetensors", framework="pt") as file:
        names = set(file.keys())
        assert {file.get_slice(name).get_dtype() for name in names} == {"F16"}

    card = (out / "README.md").read_text()
    assert f"{count_parameters(model):,} parameters" in card
    accuracy = evaluate(model, load_mnist().test).accuracy
    assert f"**{accuracy:.2%}**" in card
    assert f"{accuracy:.2%} of the test split" in capsys.readouterr().out
    assert "| `fc1` | 120 → 60 neurons; 400 → 300 inputs |" in card
    assert "{" not in re.sub(r"```json.*?```", "", card, flags=re.DOTALL)


def test_the_shipped_card_states_what_the_shipped_network_does(mnist):
    from foundry.models import VARIANTS

    accuracy = evaluate(load_model("lenet", variant=VARIANTS["pruned"]), mnist.test).accuracy
    assert f"**{accuracy:.2%}**" in (WEIGHTS_DIR / "lenet-pruned" / "README.md").read_text()
    # The specification: at most 0.2 pp below the dense network's 99.45%.
    assert accuracy >= 0.9945 - 0.002
