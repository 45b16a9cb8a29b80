"""The models of a stage: how they are trained, registered and released."""
