"""Runs the server process behind an endpoint and carries requests to it."""
