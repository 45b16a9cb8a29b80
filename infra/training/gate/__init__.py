"""The gate: its states and its job, the floors by task, and the best known results that bound them."""
