"""What production says: the images that are kept for labels, and how good the answers were."""
