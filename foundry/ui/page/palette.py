"""One colour-blind-safe palette for plots, labels and style sheet.

Source: Okabe and Ito, Color Universal Design, 2008.
"""

BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
SKY = "#56B4E9"
YELLOW = "#F0E442"
GREY = "#8A8F98"
SERIES = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY)
