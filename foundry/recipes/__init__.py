"""How each file in `weights/` was made: `python -m foundry.recipes.<name>`."""
