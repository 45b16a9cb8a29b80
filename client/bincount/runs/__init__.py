"""Training runs of a stage: what was tried, what came of it, and what it cost."""
