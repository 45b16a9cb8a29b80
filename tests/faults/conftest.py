"""The server and sources of the unit tests of data preparation."""

from tests.unit.data_prep.conftest import make_source, s3, s3_environment, upload

__all__ = ["make_source", "s3", "s3_environment", "upload"]
