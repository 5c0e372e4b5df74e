"""Drawings put right, kept as the visitor's own, and a network that learns their hand."""
