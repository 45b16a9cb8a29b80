"""The error of an evaluation that ends without a verdict."""


class EvaluationError(Exception):
    """There is no verdict, neither way; the text is one line that says what was expected and what came."""
