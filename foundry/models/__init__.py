"""The shared model module: every model comes from here, in any variant.

Begin in `loading.py`: `load_model()` and `load_predictor()` give the networks of our own,
`load_pretrained()` what transformers reads. Behind them: `networks/` are the architectures,
`checkpoints` writes and reads our own, `shipped` checks them, `pretrained` and `hub` find and check
other people's models. `variants` says what a variant is; `quantization` with `calibration` makes
int8 ones, `cache` keeps them, `runtime` runs them, `remote` asks for them on other machines.
`machine` is what all of it runs on. `attacks/` makes pictures that any of them misreads.
"""

from foundry.models.checkpoints import save_model
from foundry.models.loading import (
    available_models,
    available_variants,
    load_model,
    load_predictor,
    load_pretrained,
)
from foundry.models.networks import available_architectures, build_model
from foundry.models.variants import DENSE, VARIANTS, Variant

__all__ = [
    "DENSE",
    "VARIANTS",
    "Variant",
    "available_architectures",
    "available_models",
    "available_variants",
    "build_model",
    "load_model",
    "load_predictor",
    "load_pretrained",
    "save_model",
]
