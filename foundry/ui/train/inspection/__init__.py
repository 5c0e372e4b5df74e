"""Looking at a run's network: while it learns, along the way, and at its end.

`watch` is the strip whose slider goes through a run; `replay` with `cards` and `digit_map` shows
the visitor's own digit and others at the moment in sight; `sure` how sure the network is at the
end.
"""
