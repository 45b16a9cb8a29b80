"""Live accuracy: captured answers joined to people's labels, with exact intervals (docs/live-accuracy.md)."""
