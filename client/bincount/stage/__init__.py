"""A deployed stage: its names and clients, its status, its executions."""
