"""FGSM and PGD on pictures of any task: they are changed until a network reads something else."""
