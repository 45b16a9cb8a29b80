"""The model: its engine, its answer, and the service that runs it."""
