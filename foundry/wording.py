"""Numbers with the word for what is counted."""


def counted(number: int, noun: str) -> str:
    """Return how many of something there are: `1 picture`, `1,200 pictures`, `0 classes`.

    Args:
        number: At least 0.
        noun: One of them, such as `picture`. The page's dictionary needs it in both numbers.
    """
    if number != 1:
        noun += "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}"
