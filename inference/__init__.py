"""The counting server: a model directory and a photograph in, a count with its certainty out."""
