"""Sealed datasets of a stage, as Python objects."""
