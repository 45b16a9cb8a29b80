"""The error of a launch: of the call itself, or of the account."""


class LaunchError(Exception):
    """One line: what was expected, what came, what to do."""
