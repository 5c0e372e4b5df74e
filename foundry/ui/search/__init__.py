"""The Search section: let many settings be tried, watch, keep one as a run."""
