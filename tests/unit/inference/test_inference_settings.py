"""Settings from environment variables."""

import pytest

from inference.settings import Settings, SettingsFault, read_settings


def test_an_empty_environment_gives_the_defaults():
    assert read_settings({}) == Settings()


def test_unset_and_empty_are_the_same():
    assert read_settings({"BINCOUNT_MAX_BODY_BYTES": ""}) == Settings()


def test_each_setting_is_read():
    settings = read_settings(
        {
            "BINCOUNT_MAX_BODY_BYTES": "4000000",
            "BINCOUNT_MAX_PIXELS": "1000000",
            "BINCOUNT_BODY_SECONDS": "1.5",
            "BINCOUNT_HEADER_SECONDS": "2",
            "BINCOUNT_BUFFERED_BYTES": "8000000",
            "BINCOUNT_DEADLINE_SECONDS": "0.5",
            "BINCOUNT_QUEUE_LIMIT": "0",
            "BINCOUNT_DRAIN_SECONDS": "5",
            "BINCOUNT_CPUS": "3",
            "BINCOUNT_ENDPOINT": "bincount-prod",
            "SAGEMAKER_BATCH": "true",
            "PATH": "/bin",
        }
    )
    assert settings == Settings(
        4_000_000, 1_000_000, 1.5, 2.0, 8_000_000, 0.5, 0, 5.0, 3, endpoint="bincount-prod", batch=True
    )


def test_every_fault_is_reported_at_once():
    with pytest.raises(SettingsFault) as caught:
        read_settings(
            {
                "BINCOUNT_MAX_BODY_BYTES": "6MB",
                "BINCOUNT_CPUS": "-1",
                "BINCOUNT_DEADLINE_SECONDS": "nan",
                "BINCOUNT_ENDPOINT": "a\nb",
                "BINCOUNT_QUEUE_LIMITS": "3",
            }
        )
    text = str(caught.value)
    assert "BINCOUNT_MAX_BODY_BYTES: expected a whole number from 1024 to 104857600, got '6MB'" in text
    assert "BINCOUNT_CPUS: expected a whole number from 0 to 1024, got '-1'" in text
    assert "BINCOUNT_DEADLINE_SECONDS: expected a number from 0.05 to 60, got 'nan'" in text
    assert "BINCOUNT_ENDPOINT: expected up to 63 printable ASCII characters" in text
    assert "BINCOUNT_QUEUE_LIMITS: no such setting" in text
    assert "\n" not in text


def test_memory_for_less_than_one_body_is_rejected():
    with pytest.raises(
        SettingsFault, match="BINCOUNT_BUFFERED_BYTES: expected at least BINCOUNT_MAX_BODY_BYTES"
    ):
        read_settings({"BINCOUNT_BUFFERED_BYTES": "2000000"})
