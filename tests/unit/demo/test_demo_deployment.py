"""The CDK as the demo starts it: where its environment comes from, and that it ends with the demo."""

import json
import sys
from pathlib import Path

import pytest

from demo import deployment
from demo.deployment import Deployment
from demo.options import DemoError

# In place of the CDK: found by its own name on the PATH, as `/usr/bin/env node` is.
CDK = """#!/usr/bin/env a-node-that-is-elsewhere
import json, os, sys
sys.stdout.reconfigure(encoding="utf-8")
print("✅  all is deployed" if "fail" not in os.environ else "❌  no")
open(os.environ["SEEN"], "w").write(json.dumps(dict(os.environ)))
sys.exit(3 if "fail" in os.environ else 0)
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a space in its name that holds the stand-in, with its interpreter in a folder of PATH."""
    tree = tmp_path / "with space"
    (tree / "node_modules" / ".bin").mkdir(parents=True)
    cdk = tree / "node_modules" / ".bin" / "cdk"
    cdk.write_text(CDK)
    cdk.chmod(0o755)
    programs = tmp_path / "elsewhere"
    programs.mkdir()
    (programs / "a-node-that-is-elsewhere").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr(deployment, "ROOT", tree)
    return tree


def deploy(tree: Path, **variables: str) -> dict[str, str]:
    seen = tree / "seen.json"
    made = Deployment(
        environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "SEEN": str(seen), **variables},
        out=tree,
        overrides={},
        say=lambda _: None,
    )
    made.bootstrap()
    environment: dict[str, str] = json.loads(seen.read_text())
    return environment


def test_node_is_found_wherever_the_callers_path_leads(tree: Path) -> None:
    assert "elsewhere" in deploy(tree)["PATH"]


def test_the_callers_account_does_not_reach_it(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "prod")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "https://sts.amazonaws.com")
    environment = deploy(tree)
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_STS"} & set(environment)


def test_a_failure_names_the_log_and_shows_its_end(tree: Path) -> None:
    with pytest.raises(DemoError, match=r"cdk bootstrap failed; all of it is in .*cdk\.log:\n +❌  no"):
        deploy(tree, fail="yes")
