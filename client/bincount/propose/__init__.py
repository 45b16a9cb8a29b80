"""What to look at next: kept images that nobody has labelled, the least sure first, and no bin twice."""
