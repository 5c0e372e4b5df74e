"""Accuracy over strength, of an attack or of a change, a curve for each of some models."""
