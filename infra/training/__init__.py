"""The Training stack: the pipeline from a request to a registered model."""
