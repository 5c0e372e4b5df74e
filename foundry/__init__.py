"""Foundry: train, use and compress small models on one page.

Imports go one way: `ui` (the Gradio page) calls the tasks (`training`, `runs`, `digits`,
`explain`, `benchmark`), tasks take models from `models`, and `data` holds MNIST. A task never
imports another task's internals, and nothing outside `app.py` and `ui/` imports Gradio.
`recipes/` makes the files in `weights/`; `errors` holds the sentences visitors may read.
"""
