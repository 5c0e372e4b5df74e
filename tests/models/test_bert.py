"""Against transformers' own forward pass."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from foundry.models.networks.bert import PaddedBert, is_bert_classifier


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=4), seed=st.integers(0, 2**31 - 1))
@torch.no_grad()
def test_the_logits_are_those_of_the_network(tiny_bert, lengths, seed):
    generator = torch.Generator().manual_seed(seed)
    size = (len(lengths), max(lengths))
    ids = torch.randint(0, tiny_bert.config.vocab_size, size, generator=generator)
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    expected = tiny_bert(input_ids=ids, attention_mask=mask).logits
    torch.testing.assert_close(PaddedBert(tiny_bert)(ids, mask), expected, rtol=1e-4, atol=1e-5)


def test_only_a_classifier_that_reads_the_first_token_is_run_so(tiny_bert):
    assert is_bert_classifier(tiny_bert)
    assert not is_bert_classifier(tiny_bert.bert)
    assert not is_bert_classifier(torch.nn.Linear(2, 2))


@pytest.mark.parametrize("name", ["model.bert.encoder.layer.0.attention.self.query"])
def test_layers_keep_their_names(tiny_bert, name):
    assert name in dict(PaddedBert(tiny_bert).named_modules())
