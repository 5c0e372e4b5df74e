"""Links to a view: `/?tab=train&epochs=5` -> a tab and its settings, and back.

Plain query parameters rather than `gr.DeepLinkButton`, which keeps every state on the server and
loses it with the server; these can be read, written by hand, and checked. Each tab brings a reader
of its own settings.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlencode

from foundry.models import DENSE, VARIANTS

# Gradio's own, and what others append to links.
_NOT_OURS = ("__", "utm_")
_NOT_OURS_EXACT = ("view", "deep_link")

Settings = dict[str, Any]
# From texts to all settings of a tab, and the names of those that were refused.
Reader = Callable[[Mapping[str, str]], tuple[Settings, tuple[str, ...]]]
Readers = Mapping[str, Reader]


@dataclass(frozen=True)
class View:
    """What a link opens.

    Attributes:
        tab: The id of one; empty if the link names none.
        variant: The name of one.
        settings: Of the tab, all of them; those that the link does not name are the defaults.
        ignored: Names of what was left out because it is not accepted.
    """

    tab: str = ""
    variant: str = DENSE.name
    settings: Settings = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def read_link(query: Mapping[str, str], readers: Readers) -> View:
    """Read the parameters of an address, trusting none of them.

    Args:
        query: By name, as text.
        readers: One for each tab, by its id.
    """
    own = {
        name: value
        for name, value in query.items()
        if not name.startswith(_NOT_OURS) and name not in _NOT_OURS_EXACT
    }
    tab = own.pop("tab", "")
    if tab not in readers:
        return View(ignored=("tab",) if tab else ())
    variant = own.pop("variant", DENSE.name)
    ignored = [] if variant in VARIANTS else ["variant"]
    settings, refused = readers[tab](own)
    variant = DENSE.name if ignored else variant
    return View(tab, variant, settings, (*ignored, *refused))


def write_link(
    tab: str, variant: str, values: Mapping[str, Any], read: Reader
) -> tuple[str, tuple[str, ...]]:
    """Write the parameters that open a view; what is at its default is left out.

    Args:
        tab: Its id.
        variant: The name of one.
        values: The tab's settings as its components hold them; None is the default.
        read: The tab's reader.

    Returns:
        What comes after the question mark, and the names of settings that cannot be in a link.
    """
    texts = {name: str(value) for name, value in values.items() if value is not None}
    settings, refused = read(texts)
    defaults, _ = read({"model": settings["model"]} if "model" in settings else {})
    named = {name: value for name, value in settings.items() if value != defaults[name]}
    if "model" in settings and settings["model"] != read({})[0]["model"]:
        named["model"] = settings["model"]
    shown = {"variant": variant} if variant != DENSE.name else {}
    return urlencode({"tab": tab, **shown, **named}), refused


def describe_ignored(names: tuple[str, ...], readers: Iterable[Reader]) -> str:
    """Say in one sentence what of a link was left out; empty if nothing was.

    Args:
        names: From a `View`.
        readers: Those of all tabs.
    """
    if not names:
        return ""
    # What an address holds is anybody's: only names of ours are repeated.
    known = {"tab", "variant"}.union(*(read({})[0] for read in readers))
    shown = ", ".join(name for name in dict.fromkeys(names) if name in known)
    if known.issuperset(names):
        return f"Ignored in this link: {shown}."
    if not shown:
        return "Ignored in this link: what this page does not know."
    return f"Ignored in this link: {shown}, and what this page does not know."


def read_config(
    kind: Callable[..., Any], start: Settings, texts: Mapping[str, str]
) -> tuple[Settings, tuple[str, ...]]:
    """Change settings one by one, each by a configuration that checks it.

    Args:
        kind: The configuration's dataclass, which raises `ValueError` for what it does not accept.
        start: The defaults, by name.
        texts: What a link holds.

    Returns:
        As a `Reader` does.
    """
    settings, refused = dict(start), []
    for name, text in texts.items():
        try:
            value = text if isinstance(settings[name], str) else float(text)
            settings = asdict(kind(**(settings | {name: value})))
        except (KeyError, ValueError, OverflowError):
            refused.append(name)
    return settings, tuple(refused)


def build_reader(**fields: tuple[Any, Callable[[str], bool]]) -> Reader:
    """Build a reader of texts.

    Args:
        fields: By name, the default and what else is accepted.
    """

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
