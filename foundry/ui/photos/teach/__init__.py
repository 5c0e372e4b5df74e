"""Teach it your own classes: the part of the Photos tab below the recognition."""
