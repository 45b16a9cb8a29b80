"""Labels: what a person counted in an image that was answered."""
