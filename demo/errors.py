"""What went wrong in the demo, in words for the person who runs it."""


class DemoError(RuntimeError):
    """A step failed; the text says which and what to do next."""
