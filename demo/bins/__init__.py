"""Drawn images of bins, with a known number of objects in each."""
