"""`make doctor` as a command: its exit status, its JSON, and one sentence where nobody can be asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from embedded_cloud.cloud import Cloud

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[3]


def run(cloud: Cloud | None, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The doctor as make calls it."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment = {**clean, **(cloud.environment() if cloud else {}), **variables}
    command = [sys.executable, "-m", "infra.tools.doctor", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_an_account_with_nothing_missing_is_reported_as_such(cloud: Cloud) -> None:
    done = run(cloud, "--stage", "dev", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert {each["state"] for each in found} == {"ok", "unknown"}
    assert all(bool(each["next"]) == (each["state"] != "ok") for each in found)


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        (["--stage", "nowhere"], {}, "nowhere"),
        (["--stage", "dev", "-c", "training.epocs=3"], {}, "epocs"),
        (["--stage", "dev", "-c", "broken"], {}, "KEY=VALUE"),
        (["--stage", "dev", "--profile", "none-of-that-name"], {}, "none-of-that-name"),
        (["--stage", "dev"], {}, "credentials"),
        (
            ["--stage", "dev"],
            {
                "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
                "AWS_SECRET_ACCESS_KEY": "x",
                "AWS_ENDPOINT_URL": "https://127.0.0.1:9",
            },
            "cannot be asked",
        ),
        (
            ["--stage", "dev"],
            {
                "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
                "AWS_SECRET_ACCESS_KEY": "x",
                "AWS_ENDPOINT_URL": "nonsense",
            },
            "cannot be asked",
        ),
    ],
)
def test_a_wrong_call_ends_with_a_sentence(
    arguments: list[str], variables: dict[str, str], words: str
) -> None:
    neutral = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = run(None, *arguments, **neutral, **variables)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_key_that_aws_does_not_know_ends_with_a_sentence(cloud: Cloud) -> None:
    done = run(cloud, "--stage", "dev", AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE")
    assert done.returncode == 2
    assert "sign in again" in done.stderr
    assert "Traceback" not in done.stderr
