"""The pruned model's card: what was taken out, and what that costs and brings."""

from collections.abc import Sequence
from dataclasses import dataclass

Figures = dict[str, dict[str, float]]

SETS = {
    "words": "isolated words, Speech Commands",
    "digit_strings": "strings of 1 to 8 digits",
    "studio_strings": "the same in a studio",
    "spoken_strings": "strings of digits by native speakers of Mandarin",
    "accents": "digits in foreign accents, synthetic voices",
    "wuw": "free telephone sentences and keywords, WUW-II",
    "dctts": "free read sentences",
    "grid_s1": "fixed grammar",
}
MAX_LOSS = 0.015
MIN_FLOPS_SAVED = 0.35
MIN_SPEEDUP = 1.3

# What, and what came of it.
TRIED = (
    (
        "5,143 steps, taught by the dense model as it was before voices and vocal tracts",
        "WER, greedy and by beam: words 16.2% and 10.8%, digit strings 17.6% and 9.4%, foreign "
        "accents 53.6% and 30.2%",
    ),
    (
        "... 1,456 steps more by the dense model with these, the learning rate falling to zero",
        "the model before this one: WER by beam: words 10.4%, digit strings 7.0%, foreign accents "
        "21.3%",
    ),
    (
        "... and the mean of the weights of these two",
        "words 16.4% and 10.6%, digit strings 16.8% and 8.0%, foreign accents 47.8% and 24.2%",
    ),
    (
        "from the model before (6,599 steps, 1.9 processor hours), taught by the dense model that "
        "has heard more corpora, the learning rate falling to zero",
        "the model here: the steps and hours above are of this part, in which the distance was "
        "measured to what layers 1, 2, 4 and 6 receive",
    ),
)

TEMPLATE = """---
license: cc-by-sa-4.0
language: en
library_name: transformers
pipeline_tag: automatic-speech-recognition
---
# wav2vec2-commands, pruned

`wav2vec2-commands` with {num_layers} of its layers, feed-forward networks of {intermediate_dim}
neurons and a second convolution of {conv_dim} channels: {parameters:.1f} M parameters instead of
{dense_parameters:.1f} M. What is gone is gone, not masked: an ordinary, smaller `Wav2Vec2ForCTC`
that plain `from_pretrained` loads, its widths in `config.json`. Made and measured by
`python -m foundry.recipes.speech --prune --data DIR --out DIR`.

## Measured on held-out speech
The sets are those of the dense model's card; "beam" uses the same word list.

| set | dense WER | pruned WER | dense WER, beam | pruned WER, beam | lost, beam |
|---|---|---|---|---|---|
{rows}

| | |
|---|---|
| points of WER lost, words and digit strings, the worse of greedy and beam | {lost} |
| ... bar | {max_loss:.1f}, which this {verdict} |
| arithmetic on 5 s that is gone (`torch.utils.flop_counter`) | {saved:.1%} (bar: {min_saved:.0%}) |
| speed on 5 s in PyTorch float32, median ratio of calls in turn | {speedup:.2f} times (bar: \
{min_speedup:.1f}) |
| WER when pruned but not taught yet: words, digit strings | {untaught} |
| noise and silence with an empty transcript, as heard | {wordless:.1%} |

## Method
1. **Layers.** Every choice of {num_layers} layers was tried on training batches; kept is the one
   with the lowest CTC loss: layers {kept}.
2. **Neurons and channels.** Of each layer, and of the second convolution, those stay that move the
   loss most: activation times gradient, summed over an utterance. `torch-pruning` takes the others
   out, with what belongs to them.
3. **Teaching.** {steps:,} steps, {hours:.1f} processor hours, on the dense model's own material and
   augmentation: CTC, plus the Kullback-Leibler divergence from the dense model's characters in
   every frame, plus the relative squared distance of each layer's output to what the next kept
   layer receives in the dense model, which hears the clips without masks.

{tried}

## Data, licences, limits
As of the dense model, whose card says more.
"""


@dataclass(frozen=True)
class PrunedFacts:
    """What the card reports.

    Attributes:
        steps: optimizer updates of the teaching.
        hours: of processor time.
        kept: numbers of the dense model's layers that it has.
        intermediate_dim: feed-forward neurons of each.
        conv_dim: channels of its second convolution.
        num_parameters: of the pruned model.
        dense_parameters: of the dense one.
        flops_saved: share of the arithmetic on five seconds that is gone.
        speedup: on five seconds.
        untaught: greedy figures by set before the teaching.
        dense_greedy: figures of the dense model by set, as heard.
        dense_beam: the same, by the word list.
        greedy: figures of the pruned model by set, as heard.
        beam: the same, by the word list.
    """

    steps: int
    hours: float
    kept: Sequence[int]
    intermediate_dim: int
    conv_dim: int
    num_parameters: int
    dense_parameters: int
    flops_saved: float
    speedup: float
    untaught: Figures
    dense_greedy: Figures
    dense_beam: Figures
    greedy: Figures
    beam: Figures


def render_pruned_card(facts: PrunedFacts) -> str:
    """Write the README of the pruned model's folder.

    Args:
        facts: measured.

    Returns:
        Markdown with the front matter that the Hub reads.
    """
    rows = []
    for name, description in SETS.items():
        if name in facts.greedy:
            wers = [
                figures[name]["wer"]
                for figures in (facts.dense_greedy, facts.greedy, facts.dense_beam, facts.beam)
            ]
            cells = [description, *map("{:.1%}".format, wers), f"{100 * (wers[3] - wers[2]):+.1f}"]
            rows.append("| " + " | ".join(cells) + " |")
    judged = [name for name in ("words", "digit_strings") if name in facts.greedy]
    lost = {
        name: max(
            after[name]["wer"] - before[name]["wer"]
            for before, after in (
                (facts.dense_greedy, facts.greedy),
                (facts.dense_beam, facts.beam),
            )
        )
        for name in judged
    }
    tried = ["| tried | outcome |", "|---|---|", *(f"| {a} | {b} |" for a, b in TRIED)]
    return TEMPLATE.format(
        num_layers=len(facts.kept),
        kept=", ".join(str(number + 1) for number in facts.kept),
        intermediate_dim=facts.intermediate_dim,
        conv_dim=facts.conv_dim,
        parameters=facts.num_parameters / 1e6,
        dense_parameters=facts.dense_parameters / 1e6,
        rows="\n".join(rows),
        lost=", ".join(f"{100 * points:.1f}" for points in lost.values()),
        max_loss=100 * MAX_LOSS,
        verdict="meets" if max(lost.values()) <= MAX_LOSS else "misses",
        saved=facts.flops_saved,
        min_saved=MIN_FLOPS_SAVED,
        speedup=facts.speedup,
        min_speedup=MIN_SPEEDUP,
        untaught=", ".join(f"{facts.untaught[name]['wer']:.1%}" for name in judged),
        wordless=facts.greedy["wordless"]["exact"],
        steps=facts.steps,
        hours=facts.hours,
        tried="\n".join(tried),
    )
