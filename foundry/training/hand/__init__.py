"""Learning a visitor's hand: a trained network goes on with drawings that they put right.

Begin in `learning.py`, which trains and measures; `runs` keeps what came out as a run.
"""
