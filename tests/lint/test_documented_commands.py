"""Every command that README and the documents show is run by a test, and every link leads somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")),
    *(ROOT / "emulator" / name for name in ("README.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
FOLDERS = (
    "benchmarks",
    "client",
    "core",
    "data_prep",
    "demo",
    "docs",
    "emulator",
    "inference",
    "infra",
    "monitoring",
    "tests",
)
COMMAND = re.compile(
    r"\$?\s*((?:[A-Z_]+=\S+ )*(?:make|npx|aws|bincount|curl|pip|\.venv/bin/\S+|python3?) [^#]*)"
)

# (what a command looks like, the test that runs it, what the page has of it)
RUN_BY = [
    (r"[^|]*build/own-bins\b()", "tests/unit/training/test_own_bins_page.py", "own-bins.md"),
    (r"aws s3 (sync|cp)\b", "tests/e2e/test_own_bins.py", "aws s3 {0}"),
    (r"(?:\.venv/bin/)?bincount (audit)\b", "tests/unit/client/test_client_audit.py", '"{0}"'),
    (r"bincount (check-images)\b", "tests/cli/test_check_images.py", '"{0}"'),
    (r"bincount (count|site|status)\b", "tests/e2e/test_client_and_recount.py", '"{0}"'),
    (r"bincount (page)\b", "tests/unit/client/page_process.py", '"{0}"'),
    (r"bincount (propose)\b", "tests/unit/monitoring/test_proposals.py", '"{0}"'),
    (r"bincount (labelled)\b", "tests/unit/monitoring/test_labelled_images.py", '"{0}"'),
    (r"bincount (drift)\b", "tests/unit/monitoring/test_drift_nights.py", '"{0}"'),
    (r"bincount (forget)\b", "tests/unit/monitoring/test_kept_images.py", '"{0}"'),
    (r"bincount (live)\b", "tests/unit/monitoring/test_live_join.py", '"{0}"'),
    (r"bincount (label)\b", "tests/unit/client/test_client_labels.py", '"{0}"'),
    (r"bincount (runs|report)\b", "tests/e2e/test_client_runs.py", '"{0}"'),
    (r"pip install (mlflow)", "benchmarks/mlflow/requirements.in", "{0}=="),
    (r"aws ssm get-parameter()", "tests/e2e/journey_kit.py", "get_parameter"),
    (r"bincount (train|models)\b", "tests/e2e/test_client_models.py", '"{0}"'),
    (r"curl\b()", "tests/e2e/test_api.py", "api.md"),
    (r"npx cdk bootstrap()", "tests/e2e/test_journeys.py", "deployment.bootstrap()"),
    (r"npx cdk deploy()", "tests/e2e/test_journeys.py", "journey.deploy()"),
    (r"npx cdk destroy()", "tests/e2e/test_journeys.py", "deployment.destroy()"),
    (r"aws cognito-idp admin-create-user()", "tests/e2e/page_kit.py", "admin_create_user"),
    (r"aws cognito-idp admin-add-user-to-group()", "tests/e2e/page_kit.py", "admin_add_user_to_group"),
    (r"aws stepfunctions start-execution()", "tests/e2e/journey_kit.py", "start_execution"),
    (r"(?:\S+ )?training/launch\.py (train|tune)\b", "tests/e2e/test_retraining.py", '"{0}"'),
    (
        r"\.venv/bin/python [^|]*build/by-hand/()",
        "tests/unit/training/test_training_by_hand.py",
        "build/by-hand",
    ),
    (r"\.venv/bin/python -m data_prep()", "tests/unit/data_prep/test_cli.py", "COMMANDS = "),
]


def commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        fenced = shown = False
        for number, line in enumerate(page.read_text().splitlines(), 1):
            if line.startswith("```"):
                fenced, shown = not fenced, line[3:] in ("", "sh", "bash", "console")
                continue
            found = COMMAND.match(line.strip())
            if found and ((fenced and shown) or (not fenced and line.startswith("    "))):
                yield f"{page.relative_to(ROOT)}:{number}", found[1].strip()


@pytest.mark.parametrize(("place", "command"), [pytest.param(*found, id=found[0]) for found in commands()])
def test_command_is_run_by_a_test(place: str, command: str) -> None:
    target = re.match(r"(?:[A-Z_]+=\S+ )*make ([a-z-]+)", command)
    if target:
        assert f"\n{target[1]}:" in (ROOT / "Makefile").read_text(), f"{place}: no such target"
        return
    for pattern, test, needle in RUN_BY:
        if found := re.match(pattern, command):
            assert needle.format(found[1]) in (ROOT / test).read_text(), f"{test} no longer runs {command}"
            return
    pytest.fail(f"{place} shows {command!r}, and no test is named here that runs it")


def test_there_are_commands_to_look_at() -> None:
    places = {place.split(":")[0] for place, _ in commands()}
    assert {"README.md", "CONTRIBUTING.md", "docs/client.md", "docs/api.md", "docs/training.md"} <= places


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    prose = re.sub(r"`[^`\n]*`", "", page.read_text())  # a pattern in code may look like a link
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", prose)
    broken = [target for target in targets if not (page.parent / target).exists()]
    assert not broken


def anchors(page: Path) -> set[str]:
    """Of the page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", page.read_text(), flags=re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_anchors_lead_to_headings(page: Path) -> None:
    prose = re.sub(r"`[^`\n]*`", "", page.read_text())
    targets = re.findall(r"\]\(([^)#:]*\.md|)#([^)]+)\)", prose)
    assert not [
        f"{path}#{anchor}"
        for path, anchor in targets
        if anchor not in anchors((page.parent / path) if path else page)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_files_exist(page: Path) -> None:
    named = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w/.-]*\w)`", page.read_text())
    assert not [path for path in named if not (ROOT / path).exists()]


def test_the_snippet_of_readme_is_the_one_that_is_run() -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert snippet in (ROOT / "docs/api.md").read_text()
