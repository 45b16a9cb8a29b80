"""Why no verdict could be given."""


class EvaluationError(Exception):
    """There is no verdict, neither way; the text is one line that says what was expected and what came."""
