"""Foundry: train, use and compress small models on one page.

Imports go one way. `ui/` (the Gradio page) calls the tasks: `training` with `train_config`,
`augmentation`, `evaluation` and `checkpoints`; `runs` with `run_folders`, `run_queue`, `worker` and
`export`; `compress` with `compress_*`, `forms`, `measure`, `workloads`; `speeds`; `digits` with
`ink`; `explain`; `sentiment` with `sentiment_*` and `attribution`; `speech` with `audio`,
`spectrogram`, `captions` and `speech_*`; `pruned_training`; `variant_export` with `loaders/`, the
scripts that go along; `benchmark/`. Tasks take models from `models`, the only door to them; behind
it are the `networks` that are trained here, `bert`, `pretrained` ones that transformers reads, and
`hub`, which finds other people's. `compression` says what a variant is and `variants` finds them,
made by `pruning`, and by `quantization` on the inputs of `calibration` (`quantized_layers` tells
what came of it), kept by `variant_cache` and run by `runtime`. `data` holds MNIST. `recipes/` makes
the files in `weights/`; `errors` holds the errors whose messages visitors read, `machine` what the
app runs on, `cluster` how Ray is reached.
On several machines `serving` is the page, `replica` what a model runs in, and `remote` what asks
it.
Nothing outside `app.py` and `ui/` imports Gradio.
"""
