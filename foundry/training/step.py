"""One update from one batch, in parts that are added up in a fixed order."""

import hashlib
from collections.abc import Sequence
from functools import partial

import torch
from torch.nn import functional as F

from foundry.training.augmentation import draw_affine, fgsm, random_affine
from foundry.training.sharding import ALONE, Learned, Shard, differentiate
from foundry.training.state import TrainState

# Parts of a batch on the CPU, one to a thread. A constant: as many as there are cores would make
# the numbers depend on the machine.
NUM_PARTS = 2


def cut_batches(device: torch.device, shard: Shard = ALONE) -> list[Shard]:
    """Return the parts of every batch that a worker computes; on a GPU there is one.

    Args:
        device: Where it trains.
        shard: Which of the workers it is.
    """
    return shard.split(NUM_PARTS if device.type == "cpu" else 1)


def learn_part(
    state: TrainState,
    images: torch.Tensor,
    labels: torch.Tensor,
    batch: torch.Tensor,
    part: Shard,
) -> Learned:
    """Learn from a part of a batch; of several at once, if on several threads.

    Args:
        state: Left as it is.
        images: All of them, normalised, float32 (N, 1, 28, 28).
        labels: Theirs, int64 (N,).
        batch: Indices of the whole batch's, int64.
        part: Which part of it.

    Returns:
        Mean cross-entropy in nats, label smoothing and adversarial copies left out; and the
        gradients of all that is to be made small.
    """
    config = state.config
    rows = part.rows(len(batch))
    images, labels = images[batch[rows]], labels[batch[rows]]
    if config.rotation_deg or config.shift_px or config.scale:
        # Drawn for the whole batch: an image is changed alike in whichever part it is.
        draws = draw_affine(len(batch), _seed(state, "affine", torch.device("cpu")))[rows]
        images = random_affine(images, config.rotation_deg, config.shift_px, config.scale, draws)
    noise = None
    if config.epsilon:
        # As above.
        drawn = torch.rand(
            (len(batch), *images.shape[1:]),
            generator=_seed(state, "adversarial", torch.device("cpu")),
        )
        noise = (2 * drawn[rows] - 1).to(images.device)
    generator = _seed(state, f"dropout {part.rank}", state.device)
    # The cache is shared by all threads and emptied by the first to end: whether two uses of a
    # weight share its copy, in which their gradients are summed, would be a matter of time.
    with torch.autocast(
        state.device.type,
        torch.bfloat16,
        enabled=state.precision == torch.bfloat16,
        cache_enabled=False,
    ):
        loss, plain = _losses(state, images, labels, noise, generator)
    weight = part.weight(len(batch))
    return differentiate(loss, plain, weight, list(state.model.parameters()))


def update(state: TrainState, shard: Shard, parts: Sequence[Learned]) -> float:
    """Take a step by what the parts of a batch gave.

    Args:
        state: Changed.
        shard: Which of the workers this is.
        parts: In their order.

    Returns:
        Mean cross-entropy of the whole batch before the step, nats.
    """
    loss = shard.sum_gradients(list(state.model.parameters()), parts)
    state.optimizer.step()
    if state.scheduler:
        state.scheduler.step()
    state.step += 1
    return loss


def _seed(state: TrainState, purpose: str, device: torch.device) -> torch.Generator:
    """Return a generator of this step's own: no state has to keep what was drawn before."""
    key = f"{state.config.seed}/{state.step}/{purpose}".encode()
    # As many bits as the CPU's generator takes of a seed.
    seed = int.from_bytes(hashlib.blake2b(key, digest_size=4).digest())
    return torch.Generator(device).manual_seed(seed)


def _losses(
    state: TrainState,
    images: torch.Tensor,
    labels: torch.Tensor,
    noise: torch.Tensor | None,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss to descend, and the plain cross-entropy, which compares with validation."""
    config = state.config
    model = partial(state.model, generator=generator)
    logits = model(images)
    loss = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
    plain = F.cross_entropy(logits.detach(), labels) if config.label_smoothing else loss.detach()
    if noise is not None:
        adversarial = fgsm(model, images, labels, config.epsilon, noise)
        adversarial_loss = F.cross_entropy(
            model(adversarial), labels, label_smoothing=config.label_smoothing
        )
        loss = (loss + adversarial_loss) / 2
    return loss, plain
