"""`python -m infra.settings` prints the reference table of all settings."""

from infra.settings.reference import reference

if __name__ == "__main__":
    print(reference())
