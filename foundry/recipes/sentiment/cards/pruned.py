"""The pruned model's card, written from what the recipe measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from foundry.recipes.sentiment.cards.figures import FRONT_MATTER, CandidateFigures, FinalFigures
from foundry.recipes.sentiment.data.corpus import Corpus
from foundry.recipes.sentiment.distill import PruneConfig
from foundry.recipes.sentiment.evaluation import tabulate
from foundry.recipes.sentiment.finetune import FinetuneConfig
from foundry.recipes.sentiment.pretrained import BASE

MAX_LOSS = 0.01
MIN_FLOPS_SAVED = 0.4
MIN_SPEEDUP = 1.4


@dataclass(frozen=True)
class Comparison:
    """The dense model, and the pruned one beside it.

    Attributes:
        sst2_dev_accuracy: Of the dense one, in [0, 1].
        reviews_dev_accuracy: Of the dense one, in [0, 1].
        untaught_accuracy: Of the pruned one on SST-2 dev before it was taught, in [0, 1].
        agreement: Share of both dev sets on which the two give the same label, in [0, 1].
        num_parameters: Of the dense one.
        size_bytes: Of the dense one's weights.
        flops_saved: Share of the encoder's arithmetic that is gone, by number of tokens.
        speedup: For one text in PyTorch, by number of tokens.
    """

    sst2_dev_accuracy: float
    reviews_dev_accuracy: float
    untaught_accuracy: float
    agreement: float
    num_parameters: int
    size_bytes: int
    flops_saved: dict[int, float]
    speedup: dict[int, float]


def render_pruned_card(
    corpus: Corpus,
    num_texts: int,
    pruning: PruneConfig,
    teaching: FinetuneConfig,
    kept: Sequence[int],
    epochs: float,
    cpu_minutes: float,
    comparison: Comparison,
    candidates: Sequence[CandidateFigures],
    shipped: CandidateFigures,
    num_seeds: int,
    final: FinalFigures,
) -> str:
    """Write the card.

    Args:
        corpus: The sentences, for their numbers.
        num_texts: Texts it was taught with, labelled or not.
        pruning: What was taken out.
        teaching: Knobs of the training.
        kept: Numbers of the dense model's layers that it has.
        epochs: Of the teaching of a candidate, on average.
        cpu_minutes: Processor minutes of teaching one of the candidates.
        comparison: The dense model's figures.
        candidates: The models that could have been shipped.
        shipped: The one that was.
        num_seeds: Trainings that the candidates are made of.
        final: Figures of the shipped files.

    Returns:
        The card in Markdown.
    """
    lost = comparison.sst2_dev_accuracy - final.sst2_dev_accuracy
    return _TEMPLATE.format(
        base_name=BASE.name,
        num_layers=len(kept),
        pruning=pruning,
        teaching=teaching,
        kept=", ".join(str(number + 1) for number in kept),
        num_texts=num_texts,
        num_sst2_dev=len(corpus.sst2_dev),
        num_labelled=len(corpus.train),
        epochs=epochs,
        cpu_minutes=cpu_minutes,
        num_parameters=final.num_parameters,
        dense_parameters=comparison.num_parameters,
        size_mb=final.size_bytes / 1e6,
        dense_mb=comparison.size_bytes / 1e6,
        rows="\n".join(
            f"| {name} | {100 * dense:.2f}% | {100 * published:.2f}% | {100 * typed:.2f}% |"
            for name, dense, published, typed in (
                (
                    f"SST-2 dev, {len(corpus.sst2_dev)} sentences",
                    comparison.sst2_dev_accuracy,
                    final.sst2_dev_accuracy,
                    final.sst2_dev_typed_accuracy,
                ),
                (
                    f"reviews, set aside, {len(corpus.reviews_dev)} sentences",
                    comparison.reviews_dev_accuracy,
                    final.reviews_dev_accuracy,
                    final.reviews_dev_typed_accuracy,
                ),
            )
        ),
        lost=100 * lost,
        verdict="meets" if lost <= MAX_LOSS else "misses",
        max_loss=100 * MAX_LOSS,
        untaught=100 * comparison.untaught_accuracy,
        agreement=100 * comparison.agreement,
        saved=_by_length(comparison.flops_saved, "{:.0%}"),
        min_saved=MIN_FLOPS_SAVED,
        speedup=_by_length(comparison.speedup, "{:.2f} times"),
        min_speedup=MIN_SPEEDUP,
        ece=100 * final.ece,
        domains=tabulate(final.domains),
        probes=final.probes,
        shipped=shipped.name,
        num_seeds=num_seeds,
        candidates="\n".join(
            f"| {c.name} | {100 * c.sst2_dev_accuracy:.2f}% | {100 * c.reviews_dev_accuracy:.2f}% |"
            for c in candidates
        ),
    )


def _by_length(values: dict[int, float], form: str) -> str:
    return ", ".join(f"{form.format(value)} at {length}" for length, value in values.items())


_TEMPLATE = (
    FRONT_MATTER
    + """
# Sentiment of English sentences, pruned

`bert-sentiment` with {num_layers} of its layers and feed-forward networks of
{pruning.intermediate_dim} neurons: {num_parameters:,} parameters in {size_mb:.1f} MB of float16
weights, instead of {dense_parameters:,} in {dense_mb:.1f} MB. What is gone is gone, not masked: an
ordinary, smaller BERT that plain `transformers.AutoModelForSequenceClassification.from_pretrained`
loads, its widths in `config.json`. Labels as there. Every figure on this page was measured and
written by `python -m foundry.recipes.sentiment --prune --num-seeds {num_seeds}`, on
the files in this folder.

## Figures

{domains}

Of {probes.num_denials} denials {probes.flips:.1%} turn the answer; a name alone moves it by
{probes.spread:.2f} at most. The dense model's card says how these are measured.

| split | dense, as published | pruned, as published | pruned, as people type |
|---|---|---|---|
{rows}

| | |
|---|---|
| points lost on SST-2 dev | {lost:.2f} ({verdict} the bar of {max_loss:.1f}) |
| SST-2 dev when pruned but not taught yet | {untaught:.2f}% |
| same label as the dense model, both dev sets | {agreement:.2f}% |
| arithmetic of the encoder that is gone, by tokens | {saved} (bar: {min_saved:.0%}) |
| speed, one text in PyTorch float32, by tokens | {speedup} (bar: {min_speedup:.1f} times) |

Arithmetic is counted by `torch.utils.flop_counter`; speed is the median ratio of calls of both
models in turn. Expected calibration error (15 bins, validation split): {ece:.2f}%. It was
not calibrated again: the dense model was, and its probabilities are what was taught.

| candidate | SST-2 dev | reviews dev |
|---|---|---|
{candidates}

Shipped: **{shipped}**. Of the candidates that meet the bar (of all, if none does) it has the most
of both dev sets right. It was chosen on dev, so the figures are a little flattering; on
{num_sst2_dev} sentences one standard error is about one point.

## Method

1. **Layers.** Every choice of {num_layers} layers was tried on sentences of the training set; kept
   is the one whose answers are closest to the dense model's: layers {kept}.
2. **Neurons.** Of each layer those stay that move the answer most: activation times gradient of the
   difference of the two logits, summed over a sentence. `torch-pruning` takes the others out.
3. **Teaching.** {num_texts:,} texts: the {num_labelled:,} training sentences,
   {pruning.phrases_each} phrases cut from each sentence, and {pruning.num_prompts:,} sentences of
   public-domain books (LJSpeech's prompts). The dense model, dropout off, says what it thinks of
   each. The loss is the Kullback-Leibler divergence from that at temperature
   {pruning.temperature:g}, plus {pruning.hidden_weight:g} times the squared distance of each
   layer's output to what the next kept layer receives in the dense model, plus
   {pruning.label_weight:g} times the cross-entropy with the label where there is one.
   {epochs:g} epochs of {teaching.epoch_size:,} texts in batches of {teaching.batch_size}, AdamW
   with one cycle to {teaching.peak_lr:g}, a running average of the weights; {cpu_minutes:.0f}
   processor minutes a seed. The token table is the dense model's own.

## Data, licences, limits

As of the dense model, whose card says more: Stanford Sentiment Treebank (Socher et al. 2013) and
other corpora, some for research use with citation; base weights
`{base_name}`, Apache-2.0. Like the dense model it knows English only, and
errs on irony, comparisons and mixed opinions.
"""
)
