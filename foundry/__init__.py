"""Foundry: train, use and compress small models on one page.

Every model comes from `models`. The tasks take a model as an argument: `digits` reads drawings
and photos, `sentiment` scores texts, `speech` transcribes recordings, `training` trains small
networks on `data`. `compression` prunes, quantizes and measures; `search` trains with many
settings; `runs` keeps and queues their runs. `ui` is the page, `serving` the page on several
machines, `recipes` make the files in `weights/`, and `benchmark` measures all of it.

Imports go one way, from `benchmark` down to `errors`; `.importlinter` has the order. README.md in
this folder says why it is built so.
"""
