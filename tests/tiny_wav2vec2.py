"""A Wav2Vec2 of a few thousand random weights: hears nothing, answers in letters all the time."""

import json
from pathlib import Path

import torch
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    Wav2Vec2Processor,
)

SYMBOLS = ("<pad>", "<unk>", "|", "'", *"abcdefghijklmnopqrstuvwxyz")
# Random logits are close to one another; so large, every symbol has its turn.
HEAD_STD = 2.0


def tiny_config(**changes) -> Wav2Vec2Config:
    settings = {
        "vocab_size": len(SYMBOLS),
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "conv_dim": (8, 8, 8),
        "conv_kernel": (400, 4, 3),
        "conv_stride": (80, 2, 2),
        "feat_extract_norm": "layer",
        "do_stable_layer_norm": True,
        "num_conv_pos_embeddings": 8,
        "num_conv_pos_embedding_groups": 2,
        "pad_token_id": 0,
        "bos_token_id": None,
        "eos_token_id": None,
    }
    return Wav2Vec2Config(**settings | changes)


def write_tiny_wav2vec2(folder: Path, **changes) -> Path:
    """Write the model, the same every time, and its processor."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Wav2Vec2ForCTC(tiny_config(**changes))
        torch.nn.init.normal_(model.lm_head.weight, std=HEAD_STD)
    model.save_pretrained(folder)
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({symbol: index for index, symbol in enumerate(SYMBOLS)}))
    tokenizer = Wav2Vec2CTCTokenizer(
        str(vocabulary), bos_token=None, eos_token=None, pad_token="<pad>", unk_token="<unk>"
    )
    extractor = Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True)
    Wav2Vec2Processor(feature_extractor=extractor, tokenizer=tokenizer).save_pretrained(folder)
    return folder
