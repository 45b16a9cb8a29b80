"""Application Auto Scaling: keeps targets and policies; nothing is scaled on one machine."""
