"""Classes of one's own, on top of the network that names photos.

Begin in `learning.py`: what the frozen network makes of a few pictures becomes a linear head, as a
stream of events, and a small network learns the same pictures from scratch. `examples.py` says what
is accepted, `splitting.py` which pictures are set aside, `head.py` and `scratch.py` train,
`novelty.py` says when nothing fits, `outcome.py` what came out. `projects.py` keeps a visitor's
examples on disk, `archive.py` reads them from a ZIP file,
`taking_home.py` writes what was taught. `tuning/` trains the last block as well.
"""
