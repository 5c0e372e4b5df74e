"""Reading digits from a drawing or a photo.

Begin in `reading.py`: ink becomes boxes, each box a 28x28 image made as MNIST's were, each image
ten probabilities. `ink` separates pen from paper; `activations` shows what a network's layers see.
The model is an argument: it comes from `foundry.models`.
"""

from foundry.digits.reading import Reading, read_drawing, read_ink, read_photo

__all__ = [
    "Reading",
    "read_drawing",
    "read_ink",
    "read_photo",
]
