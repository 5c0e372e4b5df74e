"""Taking layers and channels out of networks small enough to count by hand."""

import copy

import pytest
import torch
from tiny_bert import tiny_config as tiny_bert_config
from tiny_wav2vec2 import tiny_config as tiny_wav2vec2_config
from torch import nn
from transformers import BertForSequenceClassification, Wav2Vec2ForCTC

from foundry.recipes import pruning
from foundry.recipes.pruning import choose_layers, count_flops, keep_layers, narrow, score_channels

TOKENS = torch.tensor([[2, 40, 41, 42, 3]])


@pytest.fixture
def bert() -> BertForSequenceClassification:
    torch.manual_seed(0)
    return BertForSequenceClassification(tiny_bert_config()).eval()


def test_removed_neurons_are_counted_by_hand(bert: BertForSequenceClassification) -> None:
    before = bert.num_parameters()
    producers = [layer.intermediate.dense for layer in bert.bert.encoder.layer]
    narrow(bert, TOKENS, {producer: torch.rand(64) for producer in producers}, width=40)
    # A neuron has 32 weights and a bias going in, and 32 weights coming out; 24 go in 2 layers.
    assert before - bert.num_parameters() == 2 * 24 * (32 + 1 + 32)
    assert [layer.output.dense.weight.shape for layer in bert.bert.encoder.layer] == [(32, 40)] * 2
    assert bert(TOKENS).logits.shape == (1, 2)


def test_removed_channels_of_a_convolution_take_their_norm_along() -> None:
    model = Wav2Vec2ForCTC(tiny_wav2vec2_config(conv_bias=True)).eval()
    first, second, third = (layer.conv for layer in model.wav2vec2.feature_extractor.conv_layers)
    before = model.num_parameters()
    narrow(model, torch.randn(1, 8_000), {second: torch.arange(8.0)}, width=5)
    # Three channels: 8 x 4 weights and a bias in, two numbers of the norm, 8 x 3 weights out.
    assert before - model.num_parameters() == 3 * (8 * 4 + 1 + 2 + 8 * 3)
    assert (first.out_channels, second.out_channels, third.in_channels) == (8, 5, 5)


def test_dead_neurons_score_nothing_and_are_not_missed(bert: BertForSequenceClassification) -> None:
    dead = torch.arange(0, 64, 3)
    layers = bert.bert.encoder.layer
    with torch.no_grad():
        for layer in layers:
            layer.output.dense.weight[:, dead] = 0
    wanted = bert(TOKENS).logits
    scores = score_channels(
        [layer.output.dense for layer in layers],
        [TOKENS],
        lambda batch: bert(batch).logits[:, 1].sum(),
    )
    for of_neuron in scores:
        assert of_neuron.nonzero()[:, 0].tolist() == [n for n in range(64) if n % 3]
    producers = [layer.intermediate.dense for layer in layers]
    narrow(bert, TOKENS, dict(zip(producers, scores, strict=True)), width=64 - len(dead))
    torch.testing.assert_close(bert(TOKENS).logits, wanted)


def test_nothing_is_removed_at_full_width(bert: BertForSequenceClassification) -> None:
    untouched = copy.deepcopy(bert)
    layers = bert.bert.encoder.layer
    keep_layers(layers, range(2))
    narrow(bert, TOKENS, {layers[0].intermediate.dense: torch.rand(64)}, width=64)
    for name, tensor in untouched.state_dict().items():
        assert torch.equal(tensor, bert.state_dict()[name]), name


def test_score_is_activation_times_gradient_by_hand() -> None:
    consumer = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        consumer.weight.copy_(torch.tensor([[3.0, -1.0]]))
    # Two examples of two positions: channel one sums to 0 and 2, channel two to 2 and 1.
    inputs = torch.tensor([[[1.0, 1], [-1, 1]], [[2, 1], [0, 0]]], requires_grad=True)
    scores = score_channels([consumer], [inputs], lambda batch: consumer(batch).sum())
    assert scores[0].tolist() == [3.0 * (0 + 2), 1.0 * (2 + 1)]


def test_chosen_layers_are_those_that_lose_least() -> None:
    layers = nn.ModuleList(nn.Linear(1, 1) for _ in range(4))
    every = list(layers)
    worth = dict(zip(every, (5.0, 1.0, 2.0, 4.0), strict=True))
    kept = choose_layers(layers, 2, lambda: -sum(worth[layer] for layer in layers))
    assert kept == (0, 3)
    assert list(layers) == every
    keep_layers(layers, kept)
    assert list(layers) == [every[0], every[3]]


def test_arithmetic_is_counted_by_hand(bert: BertForSequenceClassification) -> None:
    bert.set_attn_implementation("eager")
    # 5 tokens: 4 matrices of 32 x 32 and 2 of 32 x 64, and two products of 5 x 5 in each head.
    by_hand = 2 * (2 * 5 * (4 * 32 * 32 + 2 * 32 * 64) + 2 * (2 * 5 * 5 * 32))
    assert count_flops(bert, TOKENS, part="bert.encoder") == by_hand


def test_speedup_compares_the_second_with_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(nn.Module):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            for _ in range(200):
                values = values.sin()
            return values

    monkeypatch.setattr(pruning, "TIMING_S", 0)
    assert pruning.measure_speedup(Slow(), nn.Identity(), torch.zeros(1_000)) > 1
