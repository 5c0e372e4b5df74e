"""Where the network looked: which places of a photo spoke for a name (Grad-CAM)."""

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from foundry.data.photos import PHOTO_SIZE
from foundry.models.runtime import copy_structure, on_narrow_thread
from foundry.photos.model import prepare_photo

# What is left of the light where nothing spoke for the name.
_DARKEST = 0.2


@on_narrow_thread
def find_evidence(network: nn.Module, image: Image.Image, index: int) -> np.ndarray:
    """Return how much each place speaks for a class, by Grad-CAM on the last feature maps.

    Args:
        network: The shipped one, on the CPU; not modified.
        image: Upright, of any size.
        index: Of the class.

    Returns:
        float32 (224, 224), of what `frame_photo()` shows, in [0, 1]: 1 is where most speaks for it,
        0 where nothing does or something against it.

    Source: Selvaraju and others, Grad-CAM, 2017.
    """
    # Imported when wanted: the tab does without it until a name is pressed.
    from captum.attr import LayerGradCam

    with torch.enable_grad():
        # The network itself is frozen: what has a gradient begins with the input.
        pixels = prepare_photo(image).requires_grad_()
        # Its hooks must not see what others ask the shared one meanwhile.
        own = copy_structure(network)
        maps = LayerGradCam(own, own.head).attribute(pixels, target=index, relu_attributions=True)
    evidence = F.interpolate(
        maps.detach(), (PHOTO_SIZE, PHOTO_SIZE), mode="bilinear", align_corners=False
    )[0, 0]
    return (evidence / evidence.max().clamp_min(torch.finfo(torch.float32).tiny)).numpy()


def light_evidence(picture: Image.Image, evidence: np.ndarray) -> Image.Image:
    """Return a picture that is bright where something spoke for the name and dark elsewhere.

    Args:
        picture: RGB, 224x224.
        evidence: From `find_evidence()`.
    """
    light = _DARKEST + (1 - _DARKEST) * evidence[..., None]
    return Image.fromarray(np.rint(np.asarray(picture) * light).astype(np.uint8))
