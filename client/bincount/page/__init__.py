"""The page for people (web/), served on this machine before a stage's API or a local inference server."""
