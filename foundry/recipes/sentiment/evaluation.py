"""What a classifier of two or three labels gets right, domain by domain, and how sure it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from foundry.recipes.sentiment.calibration import expected_calibration_error
from foundry.recipes.sentiment.data.corpus import (
    DOMAINS,
    LABELS,
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    Example,
)
from foundry.recipes.sentiment.data.probes import list_denials, list_sentences_by_name

# A neutral text is taken for an opinion if one side has more than this.
SURE = 0.8
_SIDES = [NEGATIVE, POSITIVE]

# Maps texts to probabilities as `align` gives them.
Answer = Callable[[Sequence[str]], Tensor]


@dataclass(frozen=True)
class DomainFigures:
    """One domain of held-out examples.

    Attributes:
        domain: Its name.
        num_sided: Examples that are plainly negative or positive.
        num_neutral: Examples that are neutral.
        two_way: Share of the plain ones whose side has more than the other, in [0, 1].
        three_way: Share of all whose label is the likeliest; None without neutral examples or
            where the model has no neutral label.
        over_sure: Share of the neutral ones of which one side has more than `SURE`; None without.
        ece: Expected calibration error: of the likeliest label where there are neutral examples and
            the model has a label for them, else of the likelier side.
    """

    domain: str
    num_sided: int
    num_neutral: int
    two_way: float
    three_way: float | None
    over_sure: float | None
    ece: float


@dataclass(frozen=True)
class ProbeFigures:
    """Answers to sentences written to test with.

    Attributes:
        flips: Share of denials with which the answer changes sides, both sides right, in [0, 1].
        num_denials: How many there are.
        spread: How far the probability of a label moves, at most, with the name of a country or a
            person alone, in [0, 1].
    """

    flips: float
    num_denials: int
    spread: float


def align(probs: Tensor, names: Sequence[str]) -> Tensor:
    """Put a model's probabilities in the order of `LABELS`.

    Args:
        probs: Float tensor (texts, labels).
        names: The model's labels; `negative` and `positive` among them.

    Returns:
        float64 tensor (texts, 3); what the model has no label for is improbable.
    """
    none = torch.zeros(len(probs), dtype=torch.float64)
    columns = [
        probs[:, names.index(name)].double() if name in names else none for name in LABELS.values()
    ]
    return torch.stack(columns, dim=1)


def is_positive_side(answers: Tensor) -> Tensor:
    """Tell which texts have more of the positive side than of the negative one.

    Args:
        answers: Logits or probabilities (texts, labels), of two labels or three: negative comes
            first and positive last, whatever is between them.

    Returns:
        bool tensor (texts,).
    """
    return answers[:, -1] > answers[:, 0]


def measure_domains(probs: Tensor, examples: Sequence[Example]) -> list[DomainFigures]:
    """Measure every domain of the corpus that some examples are of.

    Args:
        probs: As `align` gives them, in the order of `examples`.
        examples: Held-out examples.
    """
    figures = []
    for domain in DOMAINS:
        chosen = [index for index, example in enumerate(examples) if example.domain == domain]
        if any(examples[index].label != NEUTRAL for index in chosen):
            of_domain = [examples[index] for index in chosen]
            figures.append(_measure_domain(domain, probs[chosen], of_domain))
    return figures


def _measure_domain(domain: str, probs: Tensor, examples: Sequence[Example]) -> DomainFigures:
    labels = torch.tensor([example.label for example in examples])
    is_neutral = labels == NEUTRAL
    neutral, sided = probs[is_neutral][:, _SIDES], probs[~is_neutral][:, _SIDES]
    is_positive = (labels[~is_neutral] == POSITIVE).long()
    if has_three := len(neutral) > 0 and bool(probs[:, NEUTRAL].any()):
        ece = expected_calibration_error(probs.log(), labels)
    else:
        ece = expected_calibration_error(sided.log(), is_positive)
    return DomainFigures(
        domain=domain,
        num_sided=len(sided),
        num_neutral=len(neutral),
        two_way=_share(sided.argmax(dim=1) == is_positive),
        three_way=_share(probs.argmax(dim=1) == labels) if has_three else None,
        over_sure=_share(neutral.amax(dim=1) > SURE) if len(neutral) else None,
        ece=ece,
    )


def measure_probes(answer: Answer) -> ProbeFigures:
    """Measure what denials and names do to a model's answers.

    Args:
        answer: Runs the model.
    """
    denials = list_denials()
    affirmed = answer([denial.affirmed for denial in denials])
    denied = answer([form for denial in denials for form in denial.denied])
    is_positive = torch.tensor([denial.is_positive for denial in denials])
    num_forms = len(denied) // len(denials)
    is_right = is_positive_side(affirmed) == is_positive
    is_turned = is_positive_side(denied).view(-1, num_forms) != is_positive[:, None]
    spreads = [
        (probs.amax(dim=0) - probs.amin(dim=0)).max().item()
        for probs in map(answer, list_sentences_by_name())
    ]
    return ProbeFigures(_share(is_right[:, None] & is_turned), len(denied), max(spreads))


def tabulate(domains: Sequence[DomainFigures]) -> str:
    """Return the figures by domain as a table in Markdown."""
    lines = [
        "| domain | plain, neutral | two-way | three-way | neutral, yet sure | calibration error |",
        "|---|---|---|---|---|---|",
    ]
    for one in domains:
        cells = [one.domain, f"{one.num_sided:,}, {one.num_neutral:,}"]
        cells += map(_percent, (one.two_way, one.three_way, one.over_sure, one.ece))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _share(hits: Tensor) -> float:
    return hits.double().mean().item()
