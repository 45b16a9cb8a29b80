"""Runs one training job as the platform does: files down, the real training toolkit, files up."""
