"""What the About tab shows: measured speeds, versions, the machine, licences; values -> HTML."""

from collections.abc import Sequence
from html import escape

from foundry.compression.measurement.timing import Timing, describe
from foundry.compression.speeds import Speed
from foundry.models.machine import Machine, list_versions
from foundry.ui.components.plots import format_ms

INTRO = (
    "Foundry is a place to see what a neural network is by making one: train it, draw for it, "
    "let it read a text or listen, then make it smaller and see what that costs. Everything "
    "runs on the machine that serves this page: no text, sound or drawing is sent anywhere "
    "else, and every number is measured here or says where it is from."
)

LICENCES = """
- **MNIST**, 70,000 handwritten digits, included unchanged but for compression. Yann LeCun, \
Corinna Cortes and Christopher J. C. Burges: The MNIST database of handwritten digits. \
[CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/).
- **lenet, lenet-pruned**, trained for this project on MNIST. CC BY-SA 3.0, as the data.
- **efficientnet-lite0**, converted for this project from EfficientNet-Lite0 of tensorflow/tpu \
(Tan and Le 2019), in the PyTorch form of ML Illustrated, and trained by its makers on ImageNet \
(Russakovsky et al. 2015), whose pictures are not included. Apache-2.0. The English names of its \
classes are WordNet's.
- **bert-sentiment, bert-sentiment-pruned**, fine-tuned for this project from \
[all-MiniLM-L6-v2](https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2), Apache-2.0, on \
the Stanford Sentiment Treebank (Socher et al. 2013), customer reviews (Hu and Liu 2004), \
Sentiment Labelled Sentences (Kotzias et al. 2015, CC BY 4.0), tweets of SemEval-2017 task 4 \
(Rosenthal et al. 2017) and VADER's tweets and editorials (Hutto and Gilbert 2014, MIT). The \
texts are not included; the treebank's, the reviews and SemEval's are for research use with \
citation.
- **wav2vec2-commands, wav2vec2-commands-pruned**, trained for this project on the Free Spoken \
Digit Dataset (CC BY-SA 4.0), Speech Commands v0.02 (Warden 2018, CC BY 4.0), WUW-II (CC BY-SA \
4.0), GRID (Cooke et al. 2006, CC BY 4.0), a reading of LJSpeech's prompts (Apache-2.0) and \
synthetic voices, whose makers its card names. The recordings are not included. \
[CC BY-SA 4.0](https://creativecommons.org/licenses/by-sa/4.0/).
- **Example photos**, and those that int8 is calibrated on, come with scikit-image: the cat by \
Stéfan van der Walt and the coffee by Rachel Michetti, both CC0; the rocket by SpaceX and the \
astronaut by NASA, both in the public domain.
- **Example clips**, and the sounds and texts that int8 is calibrated on, were made for \
this project.
- **Colours** of the plots: Masataka Okabe and Kei Ito, Color Universal Design.
"""

_TITLES = {
    "python": "Python",
    "torch": "PyTorch",
    "gradio": "Gradio",
    "transformers": "Transformers",
    "openvino": "OpenVINO",
    "nncf": "NNCF",
}

CSS = """
.speeds { overflow-x: auto; }
.speeds table, .facts-table { width: 100%; border-collapse: collapse;
  font-variant-numeric: tabular-nums; }
.speeds th, .speeds td, .facts-table th, .facts-table td { padding: 0.4rem 0.6rem; text-align: left;
  border-bottom: 1px solid var(--border-color-primary); vertical-align: top; }
.speeds th { font-weight: 600; color: var(--body-text-color-subdued); font-size: 0.85em; }
.speeds tbody th { color: var(--body-text-color); font-size: 1em; }
.speeds .number { text-align: right; white-space: nowrap; }
.speeds small { color: var(--body-text-color-subdued); }
.facts-table th { font-weight: 400; color: var(--body-text-color-subdued); width: 9rem; }
.speeds-empty { border: 1px dashed var(--border-color-primary); border-radius: var(--radius-lg);
  padding: 1.2rem; color: var(--body-text-color-subdued); }
.model-card table { display: block; overflow-x: auto; border: none !important; }
.speeds td:first-child { white-space: nowrap; }
.speeds tbody th small { display: block; font-weight: 400; }
@media (max-width: 760px) {
  .speeds { font-size: 0.8125rem; }
  .speeds th, .speeds td { padding: 0.35rem 0.25rem; }
  .speeds tbody td small { display: block; }
}
.model-card :is(th, td) { overflow-wrap: normal; word-break: normal;
  border: 1px solid var(--border-color-primary) !important; }
/* The colours of code are too faint on white to be read by everybody. */
.model-card .token { color: inherit !important; }
"""

EMPTY = (
    '<div class="speeds-empty">Nothing is measured yet. Press “Measure this machine”: the '
    "models of Draw, Sentiment and Speech are timed in every variant, which takes about half a "
    "minute, longer the first time, when the int8 variants are made.</div>"
)


def speeds_html(speeds: Sequence[Speed]) -> str:
    """Return HTML: a table of the models, one group of rows each.

    Args:
        speeds: In the order of `measure_speeds()`.
    """
    groups = []
    for model in dict.fromkeys(speed.model for speed in speeds):
        own = [speed for speed in speeds if speed.model == model]
        head = (
            f'<tr><th colspan="4" scope="rowgroup">{escape(model)} '
            f"<small>{escape(own[0].timed)} at a time; quality: "
            f"{escape(own[0].quality_name)}, from the model card</small></th></tr>"
        )
        groups.append(f"<tbody>{head}{''.join(_row(speed) for speed in own)}</tbody>")
    return (
        '<div class="speeds" tabindex="0" role="region" aria-label="Measured speeds"><table>'
        '<thead><tr><th scope="col">Variant</th><th scope="col" class="number">Median time</th>'
        '<th scope="col">Speed-up (95% interval)</th>'
        '<th scope="col" class="number">Quality</th></tr></thead>'
        f"{''.join(groups)}</table></div>"
    )


def _row(speed: Speed) -> str:
    quality = "not stated" if speed.quality is None else f"{speed.quality:.2%}"
    return (
        f"<tr><td>{escape(speed.variant)}</td>"
        f'<td class="number">{format_ms(speed.timing.p50_ms)}</td>'
        f"<td>{_times(speed.timing, speed.variant)}</td>"
        f'<td class="number">{quality}</td></tr>'
    )


def _times(timing: Timing, variant: str) -> str:
    if variant == "dense":
        return "1"
    interval = f"{timing.speedup_low:.2f} to {timing.speedup_high:.2f}"
    if timing.verdict == "unclear":
        return escape(describe(timing))
    verdict = ", no difference" if timing.verdict == "same" else ""
    return f"{timing.speedup:.2f} times <small>({interval}{verdict})</small>"


def machine_html(machine: Machine) -> str:
    """Return HTML: a table of the machine and of what the app is built on."""
    load = machine.load_average
    rows = {
        "Processor": machine.processor,
        "Cores": f"{machine.num_cores}",
        "Threads for one answer, at most": f"{machine.num_threads}",
        "Memory": f"{machine.memory_bytes / 1e9:.1f} GB",
        "Load average": "not told by this system"
        if load is None
        else f"{load:.2f} processes in the last minute",
        **{_TITLES[name]: version for name, version in list_versions().items()},
    }
    cells = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in rows.items()
    )
    return f'<table class="facts-table">{cells}</table>'
