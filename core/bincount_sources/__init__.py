"""A user's own images and their counts: how they are laid out, what is read, and what is rejected and why.

Data preparation makes datasets by it; `bincount check-images` says beforehand what data preparation would do.
"""
