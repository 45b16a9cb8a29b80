"""Which images a dataset takes, and the side of each."""
