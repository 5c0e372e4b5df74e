"""One colour-blind-safe palette for plots, labels and style sheet.

Source: Okabe and Ito, Color Universal Design, 2008; where ten are needed, Paul Tol, Colour Schemes,
2021.
"""

BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
SKY = "#56B4E9"
YELLOW = "#F0E442"
GREY = "#8A8F98"
# One for each digit; to be read on white and on dark.
CLASSES = (
    GREY, BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, "#117733", "#882255", "#7F6A00"
)  # fmt: skip
SERIES = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY)
