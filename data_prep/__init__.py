"""Data preparation: from a bucket of bin images to an immutable, honestly split dataset.

The seven steps, each a verb in a module of its own: `open_run` (the step `open`), `index`, `plan`,
`arrange`, for shards `assign_shards` and `pack`, and `seal`. They run as one Lambda function (`handler`), one
step a call, or one after the other on a laptop (`python -m data_prep`).
"""
