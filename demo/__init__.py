"""`make demo`: the whole system on this machine, from photographs to counts."""
