"""Prune, teach and write `weights/wav2vec2-commands-pruned`."""

import shutil
from pathlib import Path

import torch
from transformers import Wav2Vec2ForCTC

from foundry.errors import ArtifactError
from foundry.models.shipped import hash_file
from foundry.recipes.pruning import count_flops, measure_speedup
from foundry.recipes.speech.batches import STAGES, BatchSource
from foundry.recipes.speech.data.corpus import SAMPLE_RATE_HZ
from foundry.recipes.speech.distill import PruneConfig, build_loss, prune
from foundry.recipes.speech.evaluate import Utterance, evaluate
from foundry.recipes.speech.model import ALPHABET, save_model
from foundry.recipes.speech.pruned_card import PrunedFacts, render_pruned_card
from foundry.recipes.speech.session import run_session
from foundry.recipes.speech.train import TrainConfig, TrainState, build_averaged_model
from foundry.speech.decoding.beam import BIGRAM_FILE, load_beam_decoder

TEACHER = "teacher.sha256"
NUM_PROBES = 8
# Where words, strings and sentences are mixed: the student has had the lessons before that.
FIRST_STEP = STAGES[-1][0]
CLIP_S = 5


def make_pruned(
    dense_dir: Path,
    source: BatchSource,
    dev_sets: dict[str, list[Utterance]],
    pruning: PruneConfig,
    config: TrainConfig,
    out_dir: Path,
    resume: bool,
    start: Path | None = None,
) -> None:
    """Make a smaller model of a trained one; stopped by SIGTERM, it can be resumed.

    Args:
        dense_dir: folder of the trained model, which is the teacher.
        source: batches by step.
        dev_sets: held-out utterances.
        pruning: what is taken out, and how the rest is taught.
        config: knobs of the training.
        out_dir: checkpoint, log and model are written here.
        resume: go on from the checkpoint.
        start: folder of an earlier pruned model to begin from.

    Raises:
        ArtifactError: if there is no trained model, the checkpoint's teacher was another, or the
            earlier model is no pruned one or has other widths.
    """
    weights = dense_dir / "model.safetensors"
    if not weights.is_file():
        raise ArtifactError(
            f"There is no trained model in {dense_dir}: --dense must name the folder of one."
        )
    teacher_hash = hash_file(weights)
    dense = load_model(dense_dir)
    student, kept = prune(dense, [source[FIRST_STEP + n] for n in range(NUM_PROBES)], pruning)
    untaught = evaluate(student, dev_sets)
    if start:
        kept = _take_weights(student, start)
    student.config.kept_layers = list(kept)
    state = TrainState(student)
    state.step = FIRST_STEP
    if resume:
        if (out_dir / TEACHER).read_text("utf-8") != teacher_hash:
            raise ArtifactError(
                f"The checkpoint in {out_dir} was taught by another model than {dense_dir}: "
                "begin anew, without --resume."
            )
        state.load(out_dir)
    else:
        out_dir.mkdir(parents=True, exist_ok=True)
        (out_dir / TEACHER).write_text(teacher_hash, "utf-8")
    loss = build_loss(dense, kept, pruning)
    if not run_session(state, source, config, out_dir, dev_sets, loss):
        return

    folder = out_dir / "model"
    save_model(build_averaged_model(state), folder)
    shutil.copy(dense_dir / BIGRAM_FILE, folder)
    decoder = load_beam_decoder(folder, ALPHABET)
    # As it was written: with what float16 costs.
    pruned = load_model(folder)
    clip = torch.randn(1, CLIP_S * SAMPLE_RATE_HZ, generator=torch.Generator().manual_seed(0))
    facts = PrunedFacts(
        steps=state.step - FIRST_STEP,
        hours=state.elapsed_s / 3600,
        kept=kept,
        intermediate_dim=pruned.config.intermediate_size,
        conv_dim=pruned.config.conv_dim[1],
        num_parameters=pruned.num_parameters(),
        dense_parameters=dense.num_parameters(),
        flops_saved=1
        - count_flops(pruned, clip, part="wav2vec2") / count_flops(dense, clip, part="wav2vec2"),
        speedup=measure_speedup(dense, pruned, clip),
        untaught=untaught,
        dense_greedy=evaluate(dense, dev_sets),
        dense_beam=evaluate(dense, dev_sets, decoder),
        greedy=evaluate(pruned, dev_sets),
        beam=evaluate(pruned, dev_sets, decoder),
    )
    (folder / "README.md").write_text(render_pruned_card(facts), "utf-8")


def _take_weights(student: Wav2Vec2ForCTC, folder: Path) -> tuple[int, ...]:
    """Return which of the dense model's layers the earlier one has."""
    earlier = load_model(folder)
    kept = getattr(earlier.config, "kept_layers", None)
    if kept is None:
        raise ArtifactError(f"The model in {folder} does not say which layers it has kept.")
    try:
        student.load_state_dict(earlier.state_dict())
    except RuntimeError:
        raise ArtifactError(f"The model in {folder} has other widths than a pruned one.") from None
    return tuple(kept)


def load_model(folder: Path) -> Wav2Vec2ForCTC:
    """Read a recogniser back as it is trained and measured here.

    Args:
        folder: of ``save_model``.

    Returns:
        float32, in evaluation mode, attention as plain matrix products.
    """
    model = Wav2Vec2ForCTC.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    return model.eval()
