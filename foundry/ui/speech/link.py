"""What a link can set on the Speech tab: an example clip, a model that is here, a decoding."""

from collections.abc import Mapping

from foundry.speech.transcription import BEAM, GREEDY
from foundry.ui.components.clips import EXAMPLES, name_clip
from foundry.ui.components.pretrained_choice import is_offered_here
from foundry.ui.page.links import Settings, build_reader
from foundry.ui.speech.model import SHIPPED, has_word_list


def read_settings(texts: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """Read the tab's settings from an address; see `links.Reader`."""
    model = texts.get("model", SHIPPED)
    has_words = not is_offered_here(model, "speech") or has_word_list(model)
    decodings = (BEAM, GREEDY) if has_words else (GREEDY,)
    return build_reader(
        clip=("", lambda clip: clip in EXAMPLES.values()),
        model=(SHIPPED, lambda name: is_offered_here(name, "speech")),
        decoding=(decodings[0], lambda decoding: decoding in decodings),
    )(texts)


def write_settings(values: Settings) -> Settings:
    """Name the example clip that the player holds.

    Args:
        values: As the components hold them: `clip` is a path.
    """
    if not values.get("clip"):
        return values
    # Anybody else's sound is on this machine only, and no clip is called that.
    return values | {"clip": name_clip(values["clip"]) or values["clip"]}
