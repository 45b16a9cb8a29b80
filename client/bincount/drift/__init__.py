"""What the nights of a stage found: drift, as monitoring wrote it into the bucket."""
