"""`bincount runs` and `report`: runs of a stage, as real jobs of the embedded cloud left them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import BUCKET

from bincount.cli.runs import REPORT
from demo.bins.generate import generate
from tests.browser.look import complaints, look
from tests.e2e.runs_kit import (
    FIRST,
    FLAGS,
    METRICS,
    ROOT,
    SECOND,
    WRONG,
    described,
    output_of,
)

pytestmark = pytest.mark.e2e


def test_runs_are_listed_with_what_sagemaker_says_of_them(runs_cloud: Cloud, bincount: Any) -> None:
    found = [json.loads(line) for line in bincount("runs", "--json").stdout.splitlines()]
    assert [run["name"] for run in found] == [WRONG, SECOND, FIRST]
    wrong, second, _ = found
    job = described(runs_cloud, SECOND)
    assert second["metrics"] == {row["MetricName"]: row["Value"] for row in job["FinalMetricDataList"]}
    assert set(METRICS) == set(second["metrics"])
    assert second["parameters"] == FLAGS | {"epochs": "2", "learning-rate": "0.002"}
    assert (second["dataset"], second["cost_usd"]) == ("tiny", job["BillableTimeInSeconds"])
    assert (second["gate"], second["interruptions"], second["spot"]) == (None, 0, False)
    assert (wrong["status"], wrong["output"]) == ("Failed", None)
    assert "epochs" in wrong["reason"]


def test_the_table_marks_the_best_and_can_be_of_chosen_runs(bincount: Any) -> None:
    table = bincount("runs", FIRST, SECOND).stdout
    assert "*" in table and "Failed" not in table
    assert "no run 'bins-local-none'" in bincount("runs", "bins-local-none", check=1).stderr


def test_the_page_has_a_curve_for_each_run_that_wrote_one(bincount: Any, tmp_path: Path) -> None:
    bincount("runs", "--page", "runs.html")
    page = tmp_path / "runs.html"
    assert page.read_text(encoding="utf-8").count("<polyline") == 4 * 2
    views = look(page, tmp_path / "looks")
    assert not complaints(page, views)
    assert all(name in views["desk"].text for name in (FIRST, SECOND, WRONG))


def test_runs_that_are_named_are_compared_newest_first(bincount: Any, tmp_path: Path) -> None:
    bincount("runs", FIRST, SECOND, "--page", "compare.html")
    text = (tmp_path / "compare.html").read_text(encoding="utf-8")
    assert text.index(SECOND) < text.index(FIRST) and WRONG not in text


def test_a_report_is_the_page_that_the_run_wrote(runs_cloud: Cloud, bincount: Any, tmp_path: Path) -> None:
    written = output_of(runs_cloud, FIRST)[REPORT]
    done = bincount("report", FIRST, "--no-open", "--stage", "dev")
    assert done.stdout.strip() == str(tmp_path / f"{FIRST}.html")
    assert (tmp_path / f"{FIRST}.html").read_bytes() == written


def test_a_run_without_a_page_says_why(bincount: Any) -> None:
    assert "Failed" in bincount("report", WRONG, "--no-open", check=1).stderr


@pytest.mark.usefixtures("package")
def test_a_version_has_the_page_of_the_gate(bincount: Any, tmp_path: Path) -> None:
    (run,) = (json.loads(line) for line in bincount("runs", FIRST, "--json").stdout.splitlines())
    assert (run["gate"], run["versions"]) == ("accepted", [1])
    bincount("report", "1", "--no-open")
    assert (tmp_path / "bincount-local-version-1.html").read_bytes() == b"the gate's page"
    assert "has no version 3" in bincount("report", "3", "--no-open", check=1).stderr


def test_the_notebook_runs_from_top_to_bottom(runs_cloud: Cloud, tmp_path: Path) -> None:
    """Cell by cell in one namespace, as a kernel would, on what jobs and data preparation wrote."""
    bins, prepared = tmp_path / "bins", tmp_path / "prepared"
    generate(out=bins, images=600, seed=3, counts=range(1, 4), tidy=True)
    command = [
        sys.executable, "-m", "data_prep", "--source", str(bins), "--target", str(prepared),
        "--file-list", str(bins / "file_list.json"), "--layout", "shards",
    ]  # fmt: skip
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=300)
    (dataset,) = (prepared / "datasets").iterdir()
    for path in dataset.rglob("*"):
        if path.is_file():
            key = f"datasets/{path.relative_to(dataset.parent)}"
            runs_cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())
    place = {"Name": "/bincount/local/dataset", "Value": f"s3://{BUCKET}/datasets/{dataset.name}/"}
    runs_cloud.client("ssm").put_parameter(**place, Type="String", Overwrite=True)
    cells = json.loads((ROOT / "docs" / "notebooks" / "runs.ipynb").read_text(encoding="utf-8"))["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}/client:{ROOT}/core",
        "BINCOUNT_STAGE": "local",
        "BINCOUNT_CLOUD": str(runs_cloud.client_file),
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-"], input=source, env=environment, cwd=tmp_path, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert all(
        name in done.stdout for name in (FIRST, SECOND, WRONG, dataset.name, "test images are counted")
    )
