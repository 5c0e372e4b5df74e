"""A tiny random BERT on disk: the shape of a real one, made in no time, right about nothing."""

import string
from pathlib import Path

import torch
from transformers import BertConfig, BertTokenizerFast, PreTrainedConfig, PreTrainedModel

LABELS = {0: "negative", 1: "positive"}
THREE_LABELS = {0: "negative", 1: "neutral", 2: "positive"}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# Each of these is one token; whatever else is written in ASCII falls into pieces of these or into
# single characters, and only other alphabets and emoji are unknown.
WORDS = [
    *("a", "and", "apart", "bad", "battery", "but", "clever", "completely", "days", "delight"),
    *("every", "falls", "far", "film", "first", "funny", "good", "great", "half", "heavy", "i"),
    *("in", "is", "isn", "it", "just", "lasts", "late", "long", "loved", "minute", "not", "of"),
    *("one", "phone", "plot", "screen", "so", "sure", "the", "then", "think", "three", "to"),
    *("too", "two", "was", "what", "word", "worse", "yet"),
]
ENDINGS = ["able", "er", "ing", "ly", "s", "un"]
CHARACTERS = string.ascii_lowercase + string.digits
# Large enough that every word moves the answer, and that integrating gradients takes many steps.
WEIGHT_STD = 0.4
# Small enough to be trained further.
BASE_WEIGHT_STD = 0.1


def tiny_config(
    num_labels: int = len(LABELS),
    weight_std: float = WEIGHT_STD,
    config_class: type[PreTrainedConfig] = BertConfig,
) -> PreTrainedConfig:
    config = config_class(
        vocab_size=len(tiny_vocab()),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        initializer_range=weight_std,
    )
    config.num_labels = num_labels
    for labels in (LABELS, THREE_LABELS):
        if num_labels == len(labels):
            config.id2label = labels
            config.label2id = {name: label for label, name in labels.items()}
    return config


def tiny_vocab() -> dict[str, int]:
    pieces = [*ENDINGS, *CHARACTERS]
    tokens = [*SPECIAL, *string.punctuation, *pieces, *(f"##{piece}" for piece in pieces), *WORDS]
    return {token: index for index, token in enumerate(dict.fromkeys(tokens))}


def write_tiny_bert(
    folder: Path,
    network_class: type[PreTrainedModel],
    weight_std: float = WEIGHT_STD,
    num_labels: int = len(LABELS),
) -> Path:
    """Write a network of that class, the same every time, and its tokenizer."""
    # The network of one test must not depend on which tests drew numbers before.
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = tiny_config(num_labels, weight_std, network_class.config_class)
        network_class(config).save_pretrained(folder)
    tokenizer = BertTokenizerFast(vocab=tiny_vocab(), do_lower_case=True, model_max_length=512)
    tokenizer.save_pretrained(folder)
    return folder
