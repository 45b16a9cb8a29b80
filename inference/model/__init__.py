"""The model: loaded, run, its answer."""
