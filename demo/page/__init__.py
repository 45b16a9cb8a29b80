"""The first minute: the page with a small model on this machine (`make try`), and how that model is made."""
