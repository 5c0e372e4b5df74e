"""How `weights/bert-sentiment` was made: `python -m foundry.recipes.sentiment --help`.

In `data`, `corpus` reads and splits the texts, `spelling` and `rules` write more of them, `batches`
makes them token ids and `probes` has sentences to test with. `pretrained` checks the base weights
and adds a head, `lora` adds adapters, `finetune` trains one seed, `training` says where and
`checkpoints` lets it resume, `teacher` trains a larger classifier that a seed can learn from,
`candidates` compares seeds and averages them, `calibration` measures and corrects confidence,
`evaluation` measures every domain, `shipping` writes the files, `cards` the figures. With
`--prune`, `distill` makes a smaller model and lets the dense one teach it; `pruned` writes
`weights/bert-sentiment-pruned`.
"""
