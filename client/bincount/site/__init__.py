"""A whole site: the rows of its CSV, what they add up to, and the page that people read.

Used by `bincount site DIR` on a person's machine and by the recount's Lambda: one CSV, one page.
"""
