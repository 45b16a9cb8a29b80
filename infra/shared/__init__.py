"""What several stacks use: roles, grants, functions, state machines, logs, tags."""
