"""Reading digits from a drawing or a photo.

Begin in `reading.py`. The sheet is taken out of a picture, with its light and what is printed on it
(`sheet/`); what is left is ink (`ink`). Ink becomes parts and lines of writing (`parts`), a line
the candidates for digits (`cuts`), each a 28x28 image made as MNIST's were (`framing`), each image
ten probabilities and a score of how like a digit it is (`likeness`); the best way to cut the line
is taken. `activations` shows what a network's layers see, `explanation` which pixels spoke for an
answer, `attack` changes a drawing until another digit is read, and `drift/` measures what is left
of the accuracy on changed digits. The model is an argument: it comes from `foundry.models`.
"""

from foundry.digits.reading import Reading, read_drawing, read_ink, read_photo

__all__ = [
    "Reading",
    "read_drawing",
    "read_ink",
    "read_photo",
]
