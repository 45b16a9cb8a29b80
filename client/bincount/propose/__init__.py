"""What to look at next: of the kept images that nobody has labelled, those whose labels are worth most."""
