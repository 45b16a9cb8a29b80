"""The one kind of error that is meant for the person who started the job."""


class TrainingError(Exception):
    """Something that the caller can mend; its text says what was expected, what came and what to do."""
