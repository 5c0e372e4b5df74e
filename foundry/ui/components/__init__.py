"""What several tabs show: plots, the view of a run, the choice of a model."""
