"""Which images a dataset takes, and the split of each."""
