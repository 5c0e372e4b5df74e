"""A small corpus for the sentiment recipe, in the files that it reads."""

from pathlib import Path

SUBJECTS = {
    "sst2/train.tsv": "film",
    "sst2/dev.tsv": "plot",
    "sst2/train_phrases.tsv": "word",
    "sst2/train_neutral.tsv": "minute",
    "sst2/dev_neutral.tsv": "half",
    "customer_reviews/train.tsv": "phone",
    "review_sentences/amazon_train.tsv": "battery",
    "review_sentences/imdb_train.tsv": "screen",
    "review_sentences/yelp_train.tsv": "delight",
    "tweets/semeval_train.tsv": "days",
    "tweets/vader_train.tsv": "late",
    "editorials/nyt_train.tsv": "heavy",
}


def write_corpus(folder: Path, num_rows: int = 40) -> Path:
    """Write files of which every text says plainly what it is labelled."""
    for name, subject in SUBJECTS.items():
        labels = (2,) if "neutral" in name else (0, 1, 2) if name[0] in "te" else (0, 1)
        rows = [
            f"{label}\tthe {subject} {n} is {('bad', 'good', 'long')[label]} ."
            for n in range(num_rows)
            for label in [labels[n % len(labels)]]
        ]
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text("\n".join(["label\ttext", *rows]) + "\n", encoding="utf-8")
    (folder / "text").mkdir()
    prompts = "\n".join(f"it is just {n} days late" for n in range(9))
    (folder / "text/ljspeech_prompts.txt").write_text(prompts, encoding="utf-8")
    return folder
