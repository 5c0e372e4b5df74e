"""Pruning and quantizing a model before the visitor's eyes, and measuring every variant.

Begin in `steps.py`: `for event in compress(state): ...`. `config` has the knobs, `state` what is
known so far; `pruning` removes channels, `recovery` trains what is left, `sensitivity` changes one
layer at a time, `preview` says what pruning will do before any of it. `measurement/` times, weighs
and questions the variants. `runs` and `worker` are as in `training`; `export` and `loaders/` are
what can be downloaded; `speeds` times all shipped models.
"""
