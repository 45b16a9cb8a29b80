"""The network and the loop that trains it."""
