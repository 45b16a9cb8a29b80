"""The gate's examiner: two models, one set of bins, a verdict; a processing job of the serving image."""
