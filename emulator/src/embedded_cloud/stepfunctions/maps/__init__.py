"""Distributed Maps: batches in, results out."""
