"""Measuring variants of one model side by side.

Begin in `measure.py`, which makes the table. `stored` are the variants under test with what runs
them, `workloads` what they are asked, `timing` how long they take in turns, `memory` and
`footprint` what they need, `histograms` and `quantized_layers` what became of their weights.
"""
