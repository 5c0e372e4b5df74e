"""Model cards as text, and figures read from them."""

import pytest

from foundry.compression.measurement.workloads import card_quality
from foundry.errors import ArtifactError
from foundry.models.loading import WEIGHTS_DIR
from foundry.models.model_card import list_cards, read_card, read_figure

CARD = """# A model

| split | number | accuracy | as typed |
|---|---|---|---|
| SST-2 dev | 872 | 89.68% | **89.45%** |
| SST-2 test | 1 | n/a | 50% |

| tried | accuracy |
|---|---|
| SST-2 dev | 12.00% |
"""


@pytest.fixture
def card(tmp_path):
    (tmp_path / "README.md").write_text(CARD)
    return tmp_path


@pytest.mark.parametrize(
    ("row", "column", "figure"),
    [
        ("SST-2 dev", "accuracy", 0.8968),
        ("SST-2 dev", "as typed", 0.8945),
        ("SST-2 test", "accuracy", None),
        ("SST-2 test", "as typed", 0.5),
        ("SST-2 dev", "loss", None),
        ("MNIST", "accuracy", None),
        ("SST-2 dev", "number", None),
    ],
)
def test_a_cell_is_found_by_row_and_column(card, row, column, figure):
    assert read_figure(card, row, column) == (None if figure is None else pytest.approx(figure))


def test_no_card_is_no_figure(tmp_path):
    assert read_figure(tmp_path, "SST-2 dev", "accuracy") is None


@pytest.mark.parametrize(
    ("name", "task"),
    [("lenet", "digits"), ("bert-sentiment", "sentiment"), ("wav2vec2-commands", "speech")],
)
def test_the_shipped_cards_state_the_quality_of_the_dense_models(name, task):
    quality = card_quality(WEIGHTS_DIR / name, task, is_pruned=False)
    assert quality is not None and 0.8 < quality < 1
    pruned = WEIGHTS_DIR / f"{name}-pruned"
    if pruned.exists():
        assert card_quality(pruned, task, is_pruned=True) is not None


def test_a_card_is_read_without_its_front_matter_and_links_to_files(tmp_path):
    text = "---\nlicense: other\n---\n\n# A\n\nSee [b](../b/README.md), [c](https://c.org).\n---\n"
    (tmp_path / "README.md").write_text(text)
    assert read_card(tmp_path) == "# A\n\nSee b, [c](https://c.org).\n---"


def test_a_folder_without_a_card_is_named(tmp_path):
    with pytest.raises(ArtifactError, match=r"README\.md"):
        read_card(tmp_path)


def test_the_cards_are_listed_by_name():
    assert list_cards(WEIGHTS_DIR)[:2] == ["bert-sentiment", "bert-sentiment-pruned"]
