"""Looking at a training from its outside, at any time, whether it goes on or has ended.

`replay` reads pictures as the network would have along the way, `reliability` measures whether the
network that came out is as often right as it is sure.
"""
