"""The Train tab: choose settings, watch a run, look at what came out, compare runs."""
