import pytest
from transformers import AutoModelForCTC, AutoModelForSequenceClassification

from foundry.compression.preview import list_parts, preview_pruning
from foundry.compression.recovery import PrunedTraining, PruneEvent, plan_recovery
from foundry.models.checkpoints import WEIGHTS_FILE
from foundry.models.loading import WEIGHTS_DIR
from foundry.training.evaluation import evaluate


def test_the_preview_is_what_a_compression_begins_with(lenet, mnist):
    preview = preview_pruning(lenet, 0.4, mnist)
    events = iter(PrunedTraining(lenet, 0.4, mnist, plan_recovery(1, "mnist", len(mnist.train))))
    next(events)
    pruned = next(events)
    assert isinstance(pruned, PruneEvent)
    assert preview.parameters == 61_706
    assert preview.parameters_left == pruned.parameters
    assert preview.accuracy == evaluate(lenet, mnist.val.head(preview.num_images)).accuracy
    # 1,000 of the images that the run reads.
    assert preview.accuracy_left == pytest.approx(pruned.val_accuracy, abs=0.05)


def test_at_ratio_zero_nothing_is_lost(lenet, mnist):
    preview = preview_pruning(lenet, 0.0, mnist)
    assert preview.parameters_left == preview.parameters
    assert preview.accuracy_left == preview.accuracy


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("bert-sentiment", AutoModelForSequenceClassification),
        ("wav2vec2-commands", AutoModelForCTC),
    ],
)
def test_the_parts_of_a_model_add_up_to_it(name, kind):
    parts = list_parts(WEIGHTS_DIR / name / WEIGHTS_FILE)
    model = kind.from_pretrained(WEIGHTS_DIR / name, local_files_only=True)
    assert sum(part.parameters for part in parts) == model.num_parameters()
    layers = [part.name for part in parts if "encoder.layer" in part.name]
    assert layers == sorted(layers, key=lambda layer: int(layer.split(".")[-1]))
    assert len(layers) == model.config.num_hidden_layers
    # What comes out of it comes last.
    assert parts[-1].name in ("classifier", "lm_head")
