"""The Compress tab: prune, quantize and compare every variant of a model."""
