"""The dense model's card, written from what the recipe measured."""

import statistics
from collections.abc import Sequence

from foundry.recipes.sentiment.candidates import RunResult
from foundry.recipes.sentiment.cards.figures import FRONT_MATTER, CandidateFigures, FinalFigures
from foundry.recipes.sentiment.data.corpus import Corpus
from foundry.recipes.sentiment.data.rules import list_names
from foundry.recipes.sentiment.evaluation import tabulate
from foundry.recipes.sentiment.finetune import FinetuneConfig
from foundry.recipes.sentiment.lora import AdapterConfig
from foundry.recipes.sentiment.pretrained import BASE
from foundry.recipes.sentiment.teacher import Answers

SST2_BAR = 0.91
REVIEWS_BAR = 0.9


def render_card(
    corpus: Corpus,
    full: FinetuneConfig,
    lora: FinetuneConfig,
    adapters: AdapterConfig,
    results: Sequence[RunResult],
    candidates: Sequence[CandidateFigures],
    shipped: CandidateFigures,
    final: FinalFigures,
    teacher: Answers | None,
) -> str:
    """Write the card.

    Args:
        corpus: The sentences, for their numbers.
        full: Knobs of full fine-tuning.
        lora: Knobs of fine-tuning with adapters.
        adapters: Size of the adapters.
        results: Every finished run of both methods.
        candidates: The models that could have been shipped.
        shipped: The one that was.
        final: The figures of the shipped files.
        teacher: The larger classifier that was learnt from, if any.

    Returns:
        The card in Markdown.
    """
    return _TEMPLATE.format(
        base_name=BASE.name,
        base_sha256=BASE.sha256,
        num_parameters=final.num_parameters,
        size_mb=final.size_bytes / 1e6,
        num_train=len(corpus.train),
        num_val=len(corpus.val),
        num_sst2_dev=len(corpus.sst2_dev),
        num_reviews_dev=len(corpus.reviews_dev),
        sst2_dev=_percent(final.sst2_dev_accuracy),
        sst2_dev_typed=_percent(final.sst2_dev_typed_accuracy),
        reviews_dev=_percent(final.reviews_dev_accuracy),
        reviews_dev_typed=_percent(final.reviews_dev_typed_accuracy),
        sst2_bar=_verdict(final.sst2_dev_accuracy, SST2_BAR),
        reviews_bar=_verdict(final.reviews_dev_accuracy, REVIEWS_BAR),
        ece_before=_percent(final.ece_before),
        ece=_percent(final.ece),
        domain_table=tabulate(final.domains),
        probes=final.probes,
        num_names=sum(map(len, list_names().values())),
        temperature=final.calibration.temperature,
        offsets=", ".join(f"{offset:+.2f}" for offset in final.calibration.offsets),
        shipped=shipped.name,
        method_table=_method_table(results),
        seed_table=_seed_table(results),
        candidate_table="\n".join(
            f"| {c.name} | {_percent(c.sst2_dev_accuracy)} | {_percent(c.reviews_dev_accuracy)} |"
            for c in candidates
        ),
        full=full,
        lora=lora,
        adapters=adapters,
        teaching=_describe_teacher(teacher, full),
        embeddings="trained too" if full.train_word_embeddings else "kept as they are",
    )


def _describe_teacher(teacher: Answers | None, full: FinetuneConfig) -> str:
    if teacher is None:
        return ""
    return f"""
Where a larger classifier takes a text for what it is labelled, {full.told_share:.0%} of what is
learnt is its answer and the rest the label; elsewhere the label alone is learnt. That one was
fine-tuned from `{teacher.base_name}` (109 million parameters, Apache-2.0) on the same training
texts in {teacher.cpu_minutes:.0f} processor minutes by
`python -m foundry.recipes.sentiment.teacher`; it has {_percent(teacher.sst2_dev_accuracy)} of SST-2
dev and {_percent(teacher.reviews_dev_accuracy)} of the reviews right (Hinton et al. 2015,
Distilling the Knowledge in a Neural Network).
"""


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f}%"


def _verdict(accuracy: float, bar: float) -> str:
    return f"{'meets' if accuracy >= bar else 'misses'} the bar of {100 * bar:.1f}%"


def _spread(values: Sequence[float]) -> str:
    if len(values) == 1:
        return f"{_percent(values[0])} (one seed)"
    return f"{_percent(statistics.mean(values))} ± {_percent(statistics.stdev(values))}"


def _method_table(results: Sequence[RunResult]) -> str:
    rows = []
    for method, name in (("full", "full fine-tuning"), ("lora", "low-rank adapters (LoRA)")):
        runs = [result for result in results if result.method == method]
        if not runs:
            rows.append(f"| {name} | not run | | | | |")
            continue
        rows.append(
            f"| {name} | {runs[0].num_trained:,} | {len(runs)} "
            f"| {statistics.mean(run.minutes for run in runs):.1f} "
            f"({statistics.mean(run.cpu_minutes for run in runs):.1f}) "
            f"| {_spread([run.sst2_dev_accuracy for run in runs])} "
            f"| {_spread([run.reviews_dev_accuracy for run in runs])} |"
        )
    return "\n".join(rows)


def _seed_table(results: Sequence[RunResult]) -> str:
    return "\n".join(
        f"| {r.method} | {r.seed} | {r.epochs} | {_percent(r.val_accuracy)} "
        f"| {_percent(r.sst2_dev_accuracy)} | {_percent(r.reviews_dev_accuracy)} |"
        for r in results
    )


_TEMPLATE = (
    FRONT_MATTER
    + """
# Sentiment of English texts: negative, neutral or positive

A BERT with 6 layers of width 384 ({num_parameters:,} parameters, {size_mb:.1f} MB of float16
weights, run in float32), fine-tuned from `{base_name}` on reviews,
tweets and editorials. Loads with plain
`transformers.AutoModelForSequenceClassification.from_pretrained`; labels 0 `negative`, 1 `neutral`,
2 `positive`. Every figure on this page was measured and written by
`python -m foundry.recipes.sentiment`, on the files in this folder where it says "shipped".

## Figures of the shipped model

{domain_table}

*Two-way*: of the plainly negative and positive, those whose side has more than the other.
*Three-way*: of all, those whose label is the likeliest. *Neutral, yet sure*: of the neutral, those
of which one side has more than 80%. SST-2 is its development set as published, with the treebank's
neutral sentences; of the others what was set aside: a fifth of the product reviews, and those texts
of the rest whose hash says so.

Of {probes.num_denials} denials of opinions, written for this test, {probes.flips:.1%} turn the
answer to the other side. The name of a country or of a person alone moves no answer by more than
{probes.spread:.2f} (bar: 0.05), if it is one of the {num_names} that have one embedding.

| split | sentences | accuracy, as published | accuracy, as people type | |
|---|---|---|---|---|
| SST-2 dev | {num_sst2_dev} | {sst2_dev} | {sst2_dev_typed} | {sst2_bar} |
| reviews, set aside | {num_reviews_dev} | {reviews_dev} | {reviews_dev_typed} | {reviews_bar} |

Accuracy is two-way. "As people type" undoes the treebank's spacing (`is n't` becomes `isn't`,
`-lrb-` becomes `(`). Letter case makes no difference: the tokenizer lower-cases.

Expected calibration error (15 bins, validation split): {ece_before} before, {ece} shipped;
temperature {temperature:.3f} and offsets {offsets} of the three labels, folded into the
classifier (1.000 and none: not needed, the limit being 3%). Where there are any they were fitted on
the validation split.

Shipped: **{shipped}**. Of the candidates that meet both bars (of all, if none does) it has the most
of both dev sets right.

| candidate | SST-2 dev | reviews dev |
|---|---|---|
{candidate_table}

Chosen on dev means that the dev accuracy above is a little flattering; the mean over seeds below
is the fair expectation of one run. On {num_sst2_dev} sentences one standard error is about one
point.

## Full fine-tuning beside low-rank adapters

| method | trained parameters | seeds | minutes (processor) | SST-2 dev | reviews dev |
|---|---|---|---|---|---|
{method_table}

Accuracies are mean ± sample standard deviation over seeds. Minutes are of one
seed, wall-clock on a shared two-core CPU, so the processor minutes compare better.

| method | seed | epochs | validation | SST-2 dev | reviews dev |
|---|---|---|---|---|---|
{seed_table}

## Data and licences

- Stanford Sentiment Treebank, binary sentences (SST-2): Socher et al. 2013, Recursive Deep Models
  for Semantic Compositionality Over a Sentiment Treebank. Research use with citation.
- The treebank's phrases and its neutral sentences, which SST-2 leaves out: the same.
- Customer reviews of electronics: Hu and Liu 2004, Mining and Summarizing Customer Reviews.
  Research use with citation.
- Sentiment Labelled Sentences (products, films, restaurants): Kotzias et al. 2015, CC BY 4.0.
- Tweets: SemEval-2017 task 4 (Rosenthal et al. 2017) in TweetEval (Barbieri et al. 2020), research
  use with citation under Twitter's terms; VADER (Hutto and Gilbert 2014), MIT. None of the texts is
  here, and the weights do not spell them out; whoever uses these weights for more than research
  should train without SemEval's.
- Newspaper editorials rated by people: VADER, MIT.
- Base weights: `{base_name}`, Apache-2.0, `model.safetensors` with
  SHA-256 `{base_sha256}`.

{num_train:,} texts were trained on; {num_val:,} of the training files (5% of each) were held out
for early stopping and temperature. No development set was trained on, nor were phrases that
held-out sentences of the treebank contain.

## Method

The base's pooler was not trained for this, so it starts as the identity. An epoch is a draw of
{full.epoch_size:,} examples by domain, in which each text is written in one of its spellings;
{full.join_share:.0%} are joined to another of the same label, {full.pair_share:.0%} are in their
batch twice, in other spellings and with other names of people and countries, and are asked for
equal answers (divergence weighted {full.consistency_weight:g}); {full.rules_share:.0%} more are
made by rule: opinions with and without a negation, plain facts. Batches of {full.batch_size} of
like length, bfloat16 autocast where the processor has tiles for it, AdamW with one cycle to
{full.peak_lr:g} at the top layer, times {full.layer_decay:g} for each layer below and
{full.head_lr_ratio:g} for the head; weight decay {full.weight_decay:g}, label smoothing
{full.label_smoothing:g}, dropout {full.dropout:g}, a running average of the weights (decay
{full.average_decay:g}), up to {full.epochs} epochs with early stopping on the validation split.
Word embeddings are {embeddings}.
{teaching}
Seeds share their start, so that their weights can be averaged. At the end the embeddings of all
countries become their mean, and so those of nationalities and of first names; names that were
several pieces become one, so that there are a few more tokens than the base has.

Adapters: rank {adapters.rank} on every matrix of the encoder, scaled by
{adapters.alpha}/{adapters.rank}, peak learning rate {lora.peak_lr:g}; pooler and classifier are
trained whole; otherwise the same. They are merged into the matrices at the end.

## Intended use and limits

For showing what fine-tuning does, and for rough sentiment of English texts. Not for decisions about
people.

- What is neutral is a matter of taste: those who rated the texts often disagree.
- English only; other scripts become unknown tokens and the answer then means nothing.
- Irony, comparisons ("better than the last one") and mixed opinions are its usual errors.
- It was trained on single sentences; the app splits longer texts and combines the answers.
- It knows reviews from around the year 2000 and tweets and editorials from the years after.
"""
)
