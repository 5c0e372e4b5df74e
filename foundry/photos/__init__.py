"""Naming what is on a photo.

Begin in `classification.py`: the middle of a picture becomes probabilities of names. `model.py`
wraps what `foundry.models` loads, `names.py` has ImageNet's thousand names in two languages,
`attention.py` finds the places that speak for one, `occlusion.py` covers places and asks again,
`attack.py` changes the photo until it gets another name, `several.py` names many photos.
"""

from foundry.photos.classification import Guess, classify_photo, rank
from foundry.photos.model import PhotoModel, load_photo_model

__all__ = ["Guess", "PhotoModel", "classify_photo", "load_photo_model", "rank"]
