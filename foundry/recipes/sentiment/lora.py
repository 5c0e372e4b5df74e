"""Low-rank adapters in place of full fine-tuning."""

from dataclasses import dataclass

from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from transformers import BertForSequenceClassification, PreTrainedModel


@dataclass(frozen=True)
class AdapterConfig:
    """The size of the adapters.

    Attributes:
        rank: Inner width of each update, at least 1.
        alpha: The update is scaled by alpha / rank.
        dropout: Probability on the adapters' input while training, in [0, 1).
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05


def add_adapters(model: BertForSequenceClassification, config: AdapterConfig) -> PeftModel:
    """Freeze the encoder and give each of its matrices a trainable low-rank update.

    Pooler and classifier are new, so they are trained whole.

    Args:
        model: The classifier; its modules are reused by the result.
        config: The size of the adapters.

    Returns:
        The model with adapters.

    Source:
        Hu et al. 2021, LoRA: Low-Rank Adaptation of Large Language Models, section 4.
    """
    return get_peft_model(
        model,
        LoraConfig(
            task_type=TaskType.SEQ_CLS,
            r=config.rank,
            lora_alpha=config.alpha,
            lora_dropout=config.dropout,
            target_modules=[
                "query",
                "key",
                "value",
                "attention.output.dense",
                "intermediate.dense",
                "output.dense",
            ],
            modules_to_save=["pooler", "classifier"],
        ),
    )


def merge_adapters(model: PeftModel) -> PreTrainedModel:
    """Add the updates to the matrices they belong to, which leaves a plain model.

    Args:
        model: The model with adapters; not usable afterwards.

    Returns:
        The model without them, with the same outputs.
    """
    merged: PreTrainedModel = model.merge_and_unload()
    return merged
