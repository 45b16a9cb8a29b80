"""From a sealed dataset to batches."""
