"""A recount that cannot be done."""

from bincount.errors import BincountError


class BadRecount(BincountError):
    """The input cannot be counted; the name is the error's in Step Functions, which does not retry it."""
