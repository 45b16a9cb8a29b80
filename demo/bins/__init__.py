"""Images of bins that are drawn, not taken."""
