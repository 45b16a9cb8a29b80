"""Tuning jobs: their trials, and how hyperparameters are drawn."""
