"""Why a job failed."""


class JobFailure(Exception):
    """Ends a job as Failed; its text becomes FailureReason (at most 1,024 characters, as on AWS)."""

    @property
    def reason(self) -> str:
        """The text, shortened to what FailureReason may hold."""
        return str(self)[:1024]
