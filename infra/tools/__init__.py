"""Programs for whoever operates a stage."""
