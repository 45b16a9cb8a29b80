"""The Recount stack: counts a whole site."""
