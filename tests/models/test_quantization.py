import copy

import pytest
import torch

from foundry.compression.measurement.quantized_layers import count_zero_weights, list_changes
from foundry.data import normalize
from foundry.models import VARIANTS, load_predictor, load_pretrained
from foundry.models.cache import pack
from foundry.models.calibration import digit_samples
from foundry.models.quantization import quantize
from foundry.models.runtime import OpenVinoPredictor
from foundry.models.variants import SIGNATURES

pytestmark = pytest.mark.slow("quantizes every shipped model")

INT8 = VARIANTS["int8"]


@pytest.fixture(scope="module")
def int8_lenet():
    return load_predictor("lenet", variant=INT8)


def read_all(predict, images):
    return torch.cat([predict(normalize(part)) for part in images.split(1000)])


def int8_sizes(model):
    """Elements of the int8 constants of a model."""
    constants = [node for node in model.get_ops() if node.get_type_name() == "Constant"]
    return [c.data.size for c in constants if c.get_element_type().get_type_name() == "i8"]


def test_int8_reads_the_test_split_as_the_dense_network_does(lenet, int8_lenet, mnist):
    with torch.inference_mode():
        dense, int8 = (read_all(run, mnist.test.images) for run in (lenet, int8_lenet))
    same = (dense.argmax(1) == int8.argmax(1)).double().mean().item()
    # The specification: the same argmax on at least 99.5%, at most 0.1 pp of accuracy lost.
    assert same >= 0.995
    right = [(logits.argmax(1) == mnist.test.labels).sum().item() for logits in (dense, int8)]
    assert right[1] >= right[0] - 10
    # Logits range over about 8; five layers with steps of 1/255 of their range add up to this.
    assert (dense - int8).abs().mean() < 0.1


def test_pruned_int8_keeps_the_specified_accuracy(mnist):
    pruned_int8 = load_predictor("lenet", variant=VARIANTS["pruned-int8"])
    right = (read_all(pruned_int8, mnist.test.images).argmax(1) == mnist.test.labels).sum().item()
    # The specification: at most 0.3 pp below the dense network's 99.45%.
    assert right >= 9_945 - 30


def test_the_model_that_runs_holds_int8_weights(int8_lenet):
    # Every weight of a convolution or linear layer, and no bias.
    weights = [1 * 25 * 6, 6 * 25 * 16, 400 * 120, 120 * 84, 84 * 10]
    assert sorted(int8_sizes(int8_lenet.model)) == sorted(weights)
    nodes = [n.get_rt_info() for n in int8_lenet.compiled.get_runtime_model().get_ordered_ops()]
    precisions = [
        info["runtimePrecision"].astype(str)
        for info in nodes
        if info["layerType"].astype(str) in ("Convolution", "FullyConnected")
    ]
    assert len(precisions) == 5
    assert set(precisions) <= {"i8", "u8"}


def test_the_file_is_under_a_third_of_float32(int8_lenet):
    # The specification: at most 30% of four bytes for each of 61,706 parameters.
    assert len(pack(int8_lenet.model)) <= 0.3 * 4 * 61_706


@pytest.mark.parametrize(
    ("name", "task", "left"),
    [
        ("bert-sentiment", "sentiment", ()),
        ("wav2vec2-commands", "speech", ("wav2vec2.feature_extractor.conv_layers.0.conv",)),
    ],
)
def test_convolutions_linear_layers_and_attention_are_quantized(name, task, left):
    loaded = load_pretrained(name, task, variant=INT8)
    changes = list_changes(loaded.compiled.model, SIGNATURES[task])
    linear = [n for n, m in loaded.model.named_modules() if isinstance(m, torch.nn.Linear)]
    convolutions = [n for n, m in loaded.model.named_modules() if isinstance(m, torch.nn.Conv1d)]
    changed = {change.layer for change in changes if change.is_changed}
    for layer in {*linear, *convolutions} - set(left):
        assert layer in changed
    attention = [change for change in changes if "scaled_dot_product" in change.layer]
    assert len(attention) == loaded.model.config.num_hidden_layers
    assert all(change.is_changed for change in attention)
    assert all(change.note for change in changes)
    # What was left alone says why.
    alone = {change.layer: change.note for change in changes if not change.is_changed}
    assert set(alone) == set(left)
    assert all(note.startswith("float32: it ") for note in alone.values())
    # The specification: at most 30% of float32.
    num_bytes = 4 * sum(p.numel() for p in loaded.model.parameters())
    assert len(pack(loaded.compiled.model)) <= 0.3 * num_bytes


def test_the_input_is_not_modified(lenet):
    before = copy.deepcopy(lenet.state_dict())
    told = []
    model = quantize(
        lenet, SIGNATURES["digits"], digit_samples()[:5], lambda *event: told.append(event)
    )
    for name, tensor in lenet.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert not lenet.training
    assert OpenVinoPredictor(model)(torch.zeros(1, 1, 28, 28)).shape == (1, 10)
    shares = [share for share, _ in told]
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert all(0 <= share <= 1 for share in shares)
    assert all(sentence for _, sentence in told)


def test_what_is_kept_in_float32_says_why(lenet):
    from dataclasses import replace

    kept = {".*conv1.*": "it would lose too much"}
    signature = replace(SIGNATURES["digits"], kept=kept)
    model = quantize(lenet, signature, digit_samples()[:5])
    changes = {change.layer: change for change in list_changes(model, signature)}
    assert not changes["conv1"].is_changed
    assert changes["conv1"].note == "it would lose too much"
    assert changes["conv2"].is_changed
    assert len(int8_sizes(model)) == 4


def test_rounded_away_weights_are_counted(int8_lenet):
    zeros = count_zero_weights(int8_lenet.model)
    # A few of the smallest, far from a tenth.
    assert 0 < zeros < 6_000


def test_int8_speech_hears_what_the_dense_model_hears(shipped_recogniser):
    from foundry.speech import load_recogniser, transcribe
    from foundry.speech.audio import open_audio
    from foundry.ui.components.clips import CLIPS

    int8 = load_recogniser("wav2vec2-commands", variant=INT8)
    for clip in ("digits", "commands"):
        texts = [
            transcribe(one, open_audio(str(CLIPS / f"{clip}.flac")), one.best_decoding).text
            for one in (shipped_recogniser, int8)
        ]
        assert texts[0] == texts[1]


def test_int8_sentiment_agrees_however_texts_are_batched():
    from foundry.models.calibration import TEXTS_FILE
    from foundry.sentiment import score_text, score_texts, wrap_classifier

    loaded = [
        load_pretrained("bert-sentiment", "sentiment", variant=v)
        for v in VARIANTS.values()
        if not v.is_pruned
    ]
    dense, int8 = (wrap_classifier(one.model, one.processor, one.compiled) for one in loaded)
    texts = TEXTS_FILE.read_text("utf-8").splitlines()[:40]
    alone = [score_text(int8, text) for text in texts]
    together = {t.index: t.score for e in score_texts(int8, texts) for t in e.finished}
    for index, score in enumerate(alone):
        # Padding is masked: only sums in another order, and quantizing, may differ.
        assert together[index].probs["positive"] == pytest.approx(score.probs["positive"], abs=0.02)
    labels = [score_text(dense, text).label for text in texts]
    assert sum(score.label == label for score, label in zip(alone, labels, strict=True)) >= 38
