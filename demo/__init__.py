"""`make demo`: the whole system on this machine, from images to counts."""
