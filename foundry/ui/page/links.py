"""Links to a view: `/?tab=train&epochs=5` -> a tab and its settings, and back.

Plain query parameters rather than `gr.DeepLinkButton`, which keeps every state on the server and
loses it with the server; these can be read, written by hand, and checked.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlencode

from foundry.compression.config import CompressConfig, list_models
from foundry.models import DENSE, VARIANTS, available_models
from foundry.models.hub import find_downloaded
from foundry.speech.transcription import BEAM, GREEDY
from foundry.training import TrainConfig
from foundry.ui.components import model_choice
from foundry.ui.components.pretrained_choice import list_pretrained
from foundry.ui.sentiment import choice as sentiment_choice
from foundry.ui.speech import model as speech_model

TABS = ("train", "draw", "sentiment", "speech", "compress", "about")
MAX_TEXT = 2_000
# Gradio's own, and what others append to links.
_NOT_OURS = ("__", "utm_")
_NOT_OURS_EXACT = ("view", "deep_link")

Settings = dict[str, Any]


@dataclass(frozen=True)
class View:
    """What a link opens.

    Attributes:
        tab: One of `TABS`; empty if the link names none.
        variant: The name of one.
        settings: Of the tab, all of them; those that the link does not name are the defaults.
        ignored: Names of what was left out because it is not accepted.
    """

    tab: str = ""
    variant: str = DENSE.name
    settings: Settings = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def read_link(query: Mapping[str, str]) -> View:
    """Read the parameters of an address, trusting none of them.

    Args:
        query: By name, as text.
    """
    own = {
        name: value
        for name, value in query.items()
        if not name.startswith(_NOT_OURS) and name not in _NOT_OURS_EXACT
    }
    tab = own.pop("tab", "")
    if tab not in TABS:
        return View(ignored=("tab",) if tab else ())
    variant = own.pop("variant", DENSE.name)
    ignored = [] if variant in VARIANTS else ["variant"]
    settings, refused = _READERS[tab](own)
    variant = DENSE.name if ignored else variant
    return View(tab, variant, settings, (*ignored, *refused))


def write_link(tab: str, variant: str, values: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Write the parameters that open a view; what is at its default is left out.

    Args:
        tab: One of `TABS`.
        variant: The name of one.
        values: The tab's settings as its components hold them; None is the default.

    Returns:
        What comes after the question mark, and the names of settings that cannot be in a link.
    """
    texts = {name: str(value) for name, value in values.items() if value is not None}
    settings, refused = _READERS[tab](texts)
    defaults, _ = _READERS[tab]({"model": settings["model"]} if "model" in settings else {})
    named = {name: value for name, value in settings.items() if value != defaults[name]}
    if "model" in settings and settings["model"] != _READERS[tab]({})[0]["model"]:
        named["model"] = settings["model"]
    shown = {"variant": variant} if variant != DENSE.name else {}
    return urlencode({"tab": tab, **shown, **named}), refused


def describe_ignored(names: tuple[str, ...]) -> str:
    """Say in one sentence what of a link was left out; empty if nothing was.

    Args:
        names: From a `View`.
    """
    if not names:
        return ""
    # What an address holds is anybody's: only names of ours are repeated.
    known = {"tab", "variant"}.union(*(_READERS[tab]({})[0] for tab in TABS))
    shown = [name for name in dict.fromkeys(names) if name in known]
    if len(shown) < len(set(names)):
        shown.append("what this page does not know")
    return f"Left out of the link, because it is not accepted here: {', '.join(shown)}."


def _read_train(texts: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    return _read_config(TrainConfig, asdict(TrainConfig()), texts)


def _read_compress(texts: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    models = {spec.name: spec.task for spec in list_models()}
    model = texts.get("model", CompressConfig.model)
    others = {name: text for name, text in texts.items() if name != "model"}
    refused = () if model in models else ("model",)
    start = asdict(CompressConfig(CompressConfig.model if refused else model, pruning_ratio=0.0))
    if models[start["model"]] == "digits":
        start["pruning_ratio"] = CompressConfig.pruning_ratio
    settings, others_refused = _read_config(CompressConfig, start, others)
    return settings, (*refused, *others_refused)


def _read_config(
    kind: Callable[..., Any], start: Settings, texts: Mapping[str, str]
) -> tuple[Settings, tuple[str, ...]]:
    """Change settings one by one, each by a configuration that checks it."""
    settings, refused = dict(start), []
    for name, text in texts.items():
        try:
            value = text if isinstance(settings[name], str) else float(text)
            settings = asdict(kind(**(settings | {name: value})))
        except (KeyError, ValueError, OverflowError):
            refused.append(name)
    return settings, tuple(refused)


def _reader(
    **fields: tuple[Any, Callable[[str], bool]],
) -> Callable[[Mapping[str, str]], tuple[Settings, tuple[str, ...]]]:
    """Build a reader of texts: by name, the default and what is accepted."""

    def read(texts: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
        settings: Settings = {name: default for name, (default, _) in fields.items()}
        refused = []
        for name, text in texts.items():
            if name in fields and (text == fields[name][0] or fields[name][1](text)):
                settings[name] = text
            else:
                refused.append(name)
        return settings, tuple(refused)

    return read


def _is_here(task: str) -> Callable[[str], bool]:
    """Accept what a drop-down offers and what needs no download."""

    def accepts(name: str) -> bool:
        if name in (spec.name for spec in available_models(task)):
            return True
        offered = (known for _, known in list_pretrained(task))
        return name in offered and find_downloaded(name) is not None

    return accepts


def _read_speech(texts: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    model = texts.get("model", speech_model.SHIPPED)
    is_here = _is_here("speech")
    has_words = not is_here(model) or speech_model.has_word_list(model)
    decodings = (BEAM, GREEDY) if has_words else (GREEDY,)
    return _reader(
        clip=("", lambda clip: clip in speech_model.EXAMPLES.values()),
        model=(speech_model.SHIPPED, is_here),
        decoding=(decodings[0], lambda decoding: decoding in decodings),
    )(texts)


# From texts to all settings of a tab, and the names of those that were refused.
_READERS: dict[str, Callable[[Mapping[str, str]], tuple[Settings, tuple[str, ...]]]] = {
    "about": _reader(),
    "train": _read_train,
    "draw": _reader(
        model=(
            model_choice.DEFAULT_MODEL,
            lambda name: name in (spec.name for spec in available_models("digits")),
        )
    ),
    "sentiment": _reader(
        text=("", lambda text: len(text) <= MAX_TEXT),
        model=(sentiment_choice.DEFAULT_MODEL, _is_here("sentiment")),
    ),
    "speech": _read_speech,
    "compress": _read_compress,
}
