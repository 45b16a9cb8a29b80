"""Runs one job as the platform does: files down, the toolkit or the image's own command, files up."""
