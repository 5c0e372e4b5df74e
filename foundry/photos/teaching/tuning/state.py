"""What a fine-tuning carries from epoch to epoch, and its file to go on from after a pause."""

import copy
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from foundry.errors import ArtifactError
from foundry.models.networks import EfficientNetLite0
from foundry.photos.teaching.head import Head
from foundry.photos.teaching.tuning.tail import Tail


class TuneState:
    """What a fine-tuning carries from epoch to epoch; complete between two of its events.

    Attributes:
        tail: What is trained.
        start: The same before anything was: it answers as the head alone does.
        optimizer: Of its weights.
        epoch: Epochs done.
        elapsed_s: Seconds that they and the preparation have taken, pauses left out.
    """

    def __init__(self, network: EfficientNetLite0, head: Head) -> None:
        """Begin where the head alone answers.

        Args:
            network: The shipped one; not modified.
            head: Trained on the same examples.
        """
        tail = Tail(network, head.labels)
        tail.take_head(head)
        self.start = copy.deepcopy(tail)
        self.tail = tail.requires_grad_(True)
        self.optimizer = torch.optim.AdamW(tail.parameters(), weight_decay=0.0)
        self.epoch = 0
        self.elapsed_s = 0.0

    def average(self) -> Tail:
        """Return what answers: half way from where it began to where it is.

        The far end fits the pictures and little else.

        Source: Wortsman et al., Robust fine-tuning of zero-shot models, 2022.
        """
        tail = copy.deepcopy(self.start)
        with torch.no_grad():
            for kept, learned in zip(tail.parameters(), self.tail.parameters(), strict=True):
                kept.lerp_(learned, 0.5)
        return tail

    def save(self, path: Path) -> None:
        """Write it, replacing what was written before as a whole."""
        tensors = {f"tail.{name}": one.contiguous() for name, one in self.tail.state_dict().items()}
        for index, entries in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{key}": one for key, one in entries.items()}
        values = {"epoch": self.epoch, "elapsed_s": self.elapsed_s}
        partial = path.with_suffix(".partial")
        save_file(tensors, partial, metadata={"values": json.dumps(values)})
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Go on from what `save()` has written.

        Raises:
            ArtifactError: If the file is damaged.
        """
        try:
            with safe_open(path, "pt") as file:
                values = json.loads(file.metadata()["values"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            weights: dict[str, Tensor] = {}
            moments: dict[int, dict[str, Any]] = {}
            for name, tensor in tensors.items():
                kind, _, rest = name.partition(".")
                if kind == "tail":
                    weights[rest] = tensor
                else:
                    index, _, key = rest.partition(".")
                    moments.setdefault(int(index), {})[key] = tensor
            self.tail.load_state_dict(weights)
            groups = self.optimizer.state_dict()["param_groups"]
            self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
            self.epoch, self.elapsed_s = values["epoch"], values["elapsed_s"]
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise ArtifactError(f"The checkpoint {path} cannot be read: {error}.") from None
