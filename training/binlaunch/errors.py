"""What a person did, or the account refused."""


class LaunchError(Exception):
    """One line: what was expected, what came, what to do."""
