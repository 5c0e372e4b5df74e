"""From what a CTC model says about every frame to words, and how far they can be trusted.

Begin in `paths.py`, which takes frames as they come. `beam` searches a list of words, `doubts`
tells which of what was found is in doubt, `rivals` what else a word may have been, and `letters`
keeps what the model said of a recording, for whoever wants to look at it.
"""
