"""A folder of images as data preparation will see it."""
