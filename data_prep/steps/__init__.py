"""The steps from a request to a sealed dataset."""
