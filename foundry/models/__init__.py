"""The shared model module: every model comes from here, in any variant.

Begin in `loading.py`: `load_model()` and `load_predictor()` give the networks that are trained
here, `load_pretrained()` what transformers reads. Behind them: `networks/` are the architectures,
`pretrained` and `hub` find and check other people's models, `shipped` our own. `variants` says what
a variant is; `quantization` with `calibration` makes int8 ones, `cache` keeps them, `runtime` runs
them, `remote` asks for them on other machines. `machine` is what all of it runs on.
"""

from foundry.models.loading import (
    available_architectures,
    available_models,
    available_variants,
    build_model,
    load_model,
    load_predictor,
    load_pretrained,
    save_model,
)
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
