"""Models and the model registry."""
