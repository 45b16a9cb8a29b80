"""Drift, every night: a state machine with its function and its processing job."""
