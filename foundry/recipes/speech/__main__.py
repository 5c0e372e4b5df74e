"""``python -m foundry.recipes.speech --data DIR --out DIR``: train, evaluate, write the model."""

import argparse
import time
from collections import Counter
from functools import partial
from pathlib import Path

import torch
from transformers import Wav2Vec2ForCTC

from foundry.errors import in_a_sentence
from foundry.recipes.speech.batches import STAGES
from foundry.recipes.speech.card import TRIED, CardFacts, render_card
from foundry.recipes.speech.distill import PruneConfig
from foundry.recipes.speech.evaluate import Utterance, evaluate
from foundry.recipes.speech.model import ALPHABET, build_config, build_model, save_model
from foundry.recipes.speech.prepare import Material, load_material
from foundry.recipes.speech.pruned import load_model, make_pruned
from foundry.recipes.speech.session import (
    build_sets,
    build_source,
    log_events,
    run_session,
    train_share,
)
from foundry.recipes.speech.train import TrainConfig, TrainState, build_averaged_model
from foundry.recipes.workers import (
    WorkersConfig,
    add_worker_options,
    read_worker_options,
    train_on_workers,
)
from foundry.speech.decoding.beam import BeamOptions, Bigram, load_beam_decoder, write_bigram

SEED = 0
DENSE_DIR = Path("weights/wav2vec2-commands")
PRUNED_FOLDER = "pruned"
PRUNING = PruneConfig()
# The student begins as most of a trained model, and is moved more gently.
PRUNED_RATE = 5e-4
BEAM = BeamOptions(lm_weight=0.6, word_score=-0.5)
# Rarer words are names and misprints for the most part; without them the word list is small.
MIN_WORD_COUNT = 10


def main() -> None:
    """Run the recipe from the command line."""
    parser = argparse.ArgumentParser(prog="python -m foundry.recipes.speech")
    parser.add_argument("--data", type=Path, required=True, help="holds speech/ and text/")
    parser.add_argument("--out", type=Path, required=True, help="cache, checkpoint, log, model")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    parser.add_argument("--start", type=Path, help="begin from this trained model's weights")
    parser.add_argument("--minutes", type=float, default=120.0, help="length of this session")
    parser.add_argument(
        "--decay-minutes",
        type=float,
        default=0.0,
        help="let the learning rate fall over the last minutes; 0 if more sessions follow",
    )
    parser.add_argument("--prune", action="store_true", help="make a smaller model of --dense")
    parser.add_argument("--dense", type=Path, default=DENSE_DIR, help="the teacher's folder")
    add_worker_options(parser)
    options = parser.parse_args()
    with in_a_sentence(parser):
        _run(options)


def _run(options: argparse.Namespace) -> None:
    workers = read_worker_options(options)
    material = load_material(options.data, options.out / "cache")
    dev_sets = build_sets(material, SEED)
    if options.prune:
        make_pruned(
            options.dense,
            # Other draws than the dense model was trained on.
            build_source(material, SEED + 1),
            dev_sets,
            PRUNING,
            TrainConfig(options.minutes, options.decay_minutes, PRUNED_RATE, seed=SEED),
            options.out / PRUNED_FOLDER,
            options.resume,
            options.start,
        )
        return
    state = TrainState(build_model(build_config(), SEED))
    if options.start:
        state = TrainState(load_model(options.start).train())
        # It has had the lessons before the last.
        state.step = STAGES[-1][0]
    first_step = state.step
    config = TrainConfig(minutes=options.minutes, decay_minutes=options.decay_minutes, seed=SEED)
    if workers:
        _train_on_workers(options, workers, config)
        state.load(options.out)
        write_model(state, first_step, material, dev_sets, options.out / "model")
        return
    if options.resume:
        state.load(options.out)
    if run_session(state, build_source(material, SEED), config, options.out, dev_sets):
        write_model(state, first_step, material, dev_sets, options.out / "model")


def _train_on_workers(
    options: argparse.Namespace, workers: WorkersConfig, config: TrainConfig
) -> None:
    """Take a whole session; its checkpoint is in `--out` at the end."""
    out = options.out.resolve()
    loop = partial(
        train_share,
        options.data.resolve(),
        out / "cache",
        build_config(),
        out if options.resume else None,
        config,
        time.time() + 60 * config.minutes,
        SEED,
    )
    for _ in log_events(train_on_workers(loop, workers, "speech", out), out):
        pass


def write_model(
    state: TrainState,
    first_step: int,
    material: Material,
    dev_sets: dict[str, list[Utterance]],
    folder: Path,
) -> None:
    """Write the averaged weights with a card of what they reach, by greedy and beam search.

    Args:
        state: trained.
        first_step: the step that it began at; more than 0 for another model's weights.
        material: what it was trained on.
        dev_sets: what it is judged on.
        folder: created if missing.
    """
    save_model(build_averaged_model(state), folder)
    # As it was written: with what float16 costs.
    model = Wav2Vec2ForCTC.from_pretrained(folder, dtype=torch.float32)
    write_bigram(build_bigram(material), BEAM, folder)
    decoder = load_beam_decoder(folder, ALPHABET)
    speakers = Counter(clip.speaker for clip in material.dev if clip.corpus == "fsdd")
    facts = CardFacts(
        steps=state.step - first_step,
        hours=state.elapsed_s / 3600,
        is_continued=first_step > 0,
        num_parameters=model.num_parameters(),
        num_layers=model.config.num_hidden_layers,
        hidden_dim=model.config.hidden_size,
        lm_weight=BEAM.lm_weight,
        word_score=BEAM.word_score,
        greedy=evaluate(model, dev_sets),
        beam=evaluate(model, dev_sets, decoder),
        train=[*material.train, *(clip for _, clip in material.synthetic)],
        held_out_digit_speakers=sorted(speakers),
        tried=TRIED,
    )
    (folder / "README.md").write_text(render_card(facts), "utf-8")


def build_bigram(material: Material) -> Bigram:
    """Count the words that the beam search may choose from.

    Args:
        material: its training transcripts and prompts are counted, and the synthetic strings of
            digits, which say that any digit follows any other.

    Returns:
        The bigram of the words that are not rare.
    """
    synthetic = [clip.text for _, clip in material.synthetic]
    return Bigram.count([*material.sentences, *synthetic]).keep_frequent(MIN_WORD_COUNT)


if __name__ == "__main__":
    main()
