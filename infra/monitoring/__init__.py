"""What production says: the images that are kept for labels."""
