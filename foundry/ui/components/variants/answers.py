"""What the variants of a model answered to one input, each after the other."""

import statistics
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Self

from foundry.models import DENSE

NUM_ROUNDS = 5
_NUM_BEFORE = 3


@dataclass(frozen=True)
class VariantAnswer:
    """What one variant answered.

    Attributes:
        text: The answer, as short as it can be told.
        elapsed_ms: How long it took, in milliseconds.
        num_bytes: How large its weights are; None where that is not known here.
    """

    text: str
    elapsed_ms: float
    num_bytes: int | None


@dataclass
class Answered:
    """What the variants of a model answered to one input.

    It is changed in place: of two events that answer the same input at once, neither loses what the
    other was told.

    Attributes:
        asked: Says which input and which model; another one has other answers.
        answers: By the variant's name, of those that were asked.
        before: The answers to a few inputs before: on a busy machine, what is said of one of them
            may come after all is known of the next.
    """

    asked: Hashable = None
    answers: Mapping[str, VariantAnswer] = field(default_factory=dict)
    before: dict[Hashable, Mapping[str, VariantAnswer]] = field(default_factory=dict)

    def add(self, asked: Hashable, answers: Mapping[str, VariantAnswer]) -> Self:
        """Add answers; those to another input are put aside.

        Args:
            asked: Says to which.
            answers: By the variant's name.
        """
        if asked != self.asked:
            self.before[self.asked] = self.answers
            self.asked, self.answers = asked, self.before.pop(asked, {})
            while len(self.before) > _NUM_BEFORE:
                del self.before[next(iter(self.before))]
        self.answers = {**self.answers, **answers}
        return self

    def clear(self) -> Self:
        """Forget all answers."""
        self.asked, self.answers, self.before = None, {}, {}
        return self


@dataclass(frozen=True)
class Candidate:
    """A variant that is ready to be asked.

    Attributes:
        ask: Answers the input in sight.
        num_bytes: How large its weights are; None where that is not known here.
    """

    ask: Callable[[], str]
    num_bytes: int | None


def measure_answers(
    candidates: Mapping[str, Candidate], num_rounds: int = NUM_ROUNDS
) -> dict[str, VariantAnswer]:
    """Let variants answer in turns, so that what slows the machine down slows all of them.

    Args:
        candidates: By the variant's name. Each answers once before it is timed, because an engine
            prepares for a length that it has not seen.
        num_rounds: How often each is timed.

    Returns:
        The answers, with the median of the times.
    """
    texts = {name: one.ask() for name, one in candidates.items()}
    times_ms: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(num_rounds):
        for name, one in candidates.items():
            started = time.perf_counter()
            one.ask()
            times_ms[name].append(1000 * (time.perf_counter() - started))
    return {
        name: VariantAnswer(texts[name], statistics.median(times_ms[name]), one.num_bytes)
        for name, one in candidates.items()
    }


def measure_beside_dense(
    variant: str, load: Callable[[str], Candidate], num_rounds: int = NUM_ROUNDS
) -> dict[str, VariantAnswer]:
    """Let the chosen variant and the dense one answer; the dense one alone is timed once.

    Args:
        variant: The name of the chosen one.
        load: Makes one ready.
        num_rounds: How often each is timed, if there are two to compare.
    """
    names = dict.fromkeys((DENSE.name, variant))
    return measure_answers(
        {name: load(name) for name in names}, num_rounds if len(names) > 1 else 1
    )
