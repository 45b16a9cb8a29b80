"""The evaluation for people."""
