"""Drift: whether production's answers and images still are like those that the model was evaluated on."""
