"""The second stage of a teaching: the last block of the network is trained, too, as a run.

Begin in `learning.py`: what the frozen blocks make of the pictures is computed once, then the part
behind them learns, as a stream of events. `tail.py` is that part, `state.py` what a pause keeps,
`runs.py` and `worker.py` as of every kind of run.
"""
