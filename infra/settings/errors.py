"""What is raised for wrong settings."""


class SettingsError(ValueError):
    """One or more settings are wrong; the text names every one of them and how to correct it."""
