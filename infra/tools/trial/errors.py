"""How a trial ends otherwise than well."""


class TrialError(Exception):
    """Nothing was spent; the text says what to do."""


class StepFailed(Exception):
    """A step did not reach its end; the text holds AWS's own words."""
