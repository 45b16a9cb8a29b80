"""Data preparation: from a bucket of bin photographs to an immutable, honestly split dataset.

The steps, each a verb in a module of its own: `open_run`, `index`, `plan`, `arrange`, `pack`, `seal`.
They run as one Lambda function (`handler`), a step a call, or one after the other on a laptop (`python -m
data_prep`).
"""
