"""The gate's processing job in the serving image: two models, the same bins, a verdict."""
