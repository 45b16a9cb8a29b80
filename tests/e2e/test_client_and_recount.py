"""The client, the command line and the recount of a site, against one embedded cloud.

The command runs as a person runs it: a process of its own, given nothing but the stage.
"""

import asyncio
import csv
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_cloud.testing import wait_until

from bincount import BinCounter, Question, Refused
from tests.e2e.common_stage import CommonStage
from tests.e2e.site_kit import EXPECTED, IMAGES, ROOT, Site, gray, site_on

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def site(common_stage: CommonStage) -> Site:
    return site_on(common_stage)


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "recount.csv").open(newline="", encoding="utf-8") as lines:
        return {row["id"]: row for row in csv.DictReader(lines)}


class TestRecount:
    def test_a_prefix_is_recounted_in_the_cloud_and_bad_images_are_rows(self, site: Site):
        done = site.run(
            "site",
            f"s3://{site.bucket}/sites/one",
            "--manifest",
            site.manifest,
            "--out",
            "cloud-recount",
            check=3,
        )
        assert "state Transform" in done.stderr and "state Summarize" in done.stderr
        found = rows(site.out / "cloud-recount")
        assert list(found) == [*EXPECTED, "nobody asked"], "the manifest's order, then what it does not name"
        assert [found[identity]["place"] for identity in EXPECTED] == [f"A-{n}" for n in range(8)]
        evaluated = {
            identity: (row["count"], row["verdict"], row["error"]) for identity, row in found.items()
        }
        assert evaluated == {
            "aisle 1/00001": ("3", "match", ""),
            "aisle 1/00002": ("3", "mismatch", ""),
            "aisle 2/ü": (found["aisle 2/ü"]["count"], "uncertain", ""),
            "aisle 2/00001": ("4", "match", ""),
            "aisle 2/many": ("5", "uncertain", ""),
            "broken": ("", "", "undecodable_image"),
            "empty": ("", "", "empty_body"),
            "nobody asked": ("1", "", ""),
            "forgotten": ("", "", "no_image"),
        }
        assert found["aisle 2/many"]["message"] == "this model counts 0 to 5", "12 is none of its classes"

    def test_the_page_and_the_figures_are_beside_it(self, site: Site):
        figures = json.loads((site.out / "cloud-recount" / "summary.json").read_text())
        page = (site.out / "cloud-recount" / "summary.html").read_text()
        assert (figures["bins"], figures["matched"], figures["mismatched"]) == (9, 2, 1)
        assert figures["errors"] == {"empty_body": 1, "no_image": 1, "undecodable_image": 1}
        assert page.count('src="data:image/jpeg;base64,') == 1
        assert "expected 5, counted 3" in page
        assert "this model counts 0 to 5" in page
        assert figures["facts"]["other files, left alone"] == "1: notes.txt"

    def test_a_manifest_of_other_ids_is_rejected_with_what_they_look_like(self, site: Site):
        other = site.out / "other.csv"
        other.write_text("id,expected\n00002,3\n1,3\n")
        done = site.run("site", f"s3://{site.bucket}/sites/one", "--manifest", other, check=1)
        assert "none of 2 ids of the manifest has an image" in done.stderr
        assert "00002 looks like aisle 1/00002" in done.stderr

    def test_it_leaves_no_model_behind_and_no_transform_job_failed(self, site: Site):
        sagemaker = site.cloud.client("sagemaker")
        assert [model["ModelName"] for model in sagemaker.list_models()["Models"]] == ["one"]
        jobs = sagemaker.list_transform_jobs()["TransformJobSummaries"]
        assert [job["TransformJobStatus"] for job in jobs] == ["Completed"]

    def test_a_folder_recounted_by_the_endpoint_has_the_same_verdicts(self, site: Site):
        site.run("site", site.folder, "--manifest", site.manifest, "--out", "folder-recount", check=3)
        assert rows(site.out / "folder-recount").keys() == rows(site.out / "cloud-recount").keys()
        for identity, row in rows(site.out / "folder-recount").items():
            other = rows(site.out / "cloud-recount")[identity]
            alike = [name for name in row if name != "message"]
            assert [row[name] for name in alike] == [other[name] for name in alike], identity

    @pytest.mark.parametrize(
        ("prefix", "words"),
        [
            ("s3://{bucket}/sites/none", "BadRecount: no images"),
            ("s3://nobody/x", "s3://nobody/x/ cannot be listed"),
        ],
    )
    def test_a_wrong_address_is_reported_in_one_line(self, site: Site, prefix: str, words: str):
        done = site.run("site", prefix.format(bucket=site.bucket), "--out", "never", check=1)
        last = done.stderr.strip().splitlines()[-1]
        assert last.startswith("error: ") and words in last
        assert not (site.out / "never").exists()

    def test_without_an_approved_model_it_says_what_to_do(self, site: Site):
        ssm = site.cloud.client("ssm")
        name = "/bincount/local/model"
        before = ssm.get_parameter(Name=name)["Parameter"]["Value"]
        ssm.put_parameter(Name=name, Value="none", Type="String", Overwrite=True)
        done = site.run("site", f"s3://{site.bucket}/sites/one", check=1)
        ssm.put_parameter(Name=name, Value=before, Type="String", Overwrite=True)
        assert "NoModel" in done.stderr and "bincount models approve" in done.stderr

    def test_a_faulty_manifest_is_rejected_before_anything_starts(self, site: Site):
        bad = site.out / "bad.csv"
        bad.write_text("id,expected\n00001,three\n")
        for source in (site.folder, f"s3://{site.bucket}/sites/one"):
            done = site.run("site", source, "--manifest", bad, check=1)
            assert "line 2: expected is a whole number" in done.stderr
            assert "started" not in done.stderr

    def test_ctrl_c_ends_it_cleanly_and_leaves_no_partial_csv(self, site: Site):
        many = site.out / "many"
        many.mkdir()
        for number in range(3000):
            (many / f"{number:05}.jpg").write_bytes(IMAGES["aisle 1/00001.jpg"])
        command = [
            sys.executable,
            "-m",
            "bincount",
            "site",
            str(many),
            "--out",
            "stopped",
            "--concurrency",
            "2",
        ]
        process = subprocess.Popen(
            command,
            cwd=site.out,
            env=site.environment(),
            stderr=subprocess.PIPE,
            text=True,
            # What a shell starts in the background, these tests too, would ignore the signal.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        partial = site.out / "stopped" / "recount.csv.partial"
        wait_until(lambda: partial.is_file() and partial.stat().st_size, bool)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=300)
        assert process.returncode == 130
        assert "Traceback" not in said
        assert list((site.out / "stopped").iterdir()) == []


class TestCount:
    def test_a_table_for_people(self, site: Site):
        images = [site.folder / "aisle 1/00001.jpg", site.folder / "aisle 2/00001.png"]
        done = site.run("count", *images, "--expect", "3", check=4)
        first, second = (line for line in done.stdout.splitlines() if "0000" in line)
        assert re.search(r"│ +3 │ .* match │", first)
        assert re.search(r"│ +4 │ .* uncertain │", second)

    @pytest.mark.parametrize(
        ("name", "expect", "status", "verdict"),
        [
            ("aisle 1/00001.jpg", "3", 0, "match"),
            ("aisle 1/00001.jpg", "5", 3, "mismatch"),
            ("aisle 2/ü.jpeg", "2", 4, "uncertain"),
        ],
    )
    def test_json_lines_and_exit_status_for_programs(
        self, site: Site, name: str, expect: str, status: int, verdict: str
    ):
        done = site.run("count", site.folder / name, "--expect", expect, "--json", check=status)
        (line,) = map(json.loads, done.stdout.splitlines())
        assert line["image"].endswith(name)
        assert line["verification"]["verdict"] == verdict

    def test_what_cannot_be_counted_is_reported_and_the_others_are_counted(self, site: Site):
        images = [
            site.folder / "broken.jpg",
            site.folder / "gone.jpg",
            site.folder,
            site.folder / "aisle 1/00001.jpg",
        ]
        done = site.run("count", *images, "--json", check=1)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        codes = sorted(line["error"]["code"] for line in found if "error" in line)
        assert codes == ["no_such_file", "undecodable_image", "unreadable_file"]
        assert sum("count" in line for line in found) == 1
        assert len(done.stderr.splitlines()) == 3

    def test_a_wrong_command_line_is_reported_with_the_right_one(self, site: Site):
        assert "--expect" in site.run("count", "x.jpg", "--expect", "-1", check=2).stderr

    def test_an_unknown_stage_and_a_missing_cloud_are_reported_in_one_line(self, site: Site):
        (line,) = site.run("count", "x.jpg", "--stage", "Moon!", check=1).stderr.splitlines()
        assert line.startswith("error: 'Moon!' cannot be a stage")
        done = subprocess.run(
            [sys.executable, "-m", "bincount", "status", "--stage", "local"],
            capture_output=True, text=True, cwd="/",
            env={"PYTHONPATH": f"{ROOT}/client:{ROOT}/core", "BINCOUNT_CLOUD": "/nowhere/client.json"},
        )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr.startswith("error: no embedded cloud runs") and done.stderr.count("\n") == 1


class TestLibrary:
    @pytest.fixture
    def counter(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[BinCounter]:
        monkeypatch.setenv("BINCOUNT_CLOUD", site.environment()["BINCOUNT_CLOUD"])
        with BinCounter(stage="local", concurrency=4) as counter:
            yield counter

    def test_one_image(self, counter: BinCounter):
        answer = counter.count(IMAGES["aisle 1/00001.jpg"], expected=3)
        assert answer.verification is not None
        assert (answer.count, answer.verification.verdict, answer.model) == (3, "match", "brightness-1")

    def test_an_error_has_its_code_and_status(self, counter: BinCounter):
        with pytest.raises(Refused) as caught:
            counter.count(b"hello")
        assert (caught.value.code, caught.value.status) == ("undecodable_image", 400)

    def test_asynchronous_calls_run_side_by_side(self, counter: BinCounter):
        async def ask() -> list[int]:
            answers = await asyncio.gather(*(counter.acount(gray(40 * n)) for n in range(5)))
            return [answer.count for answer in answers]

        assert asyncio.run(ask()) == [0, 1, 2, 3, 4]

    def test_a_stream_of_questions_gives_an_outcome_for_each(self, counter: BinCounter):
        async def ask() -> dict[str, int | None]:
            questions = (Question(id=str(n), image=gray(40 * (n % 5))) for n in range(30))
            return {o.question.id: o.answer and o.answer.count async for o in counter.acount_many(questions)}

        assert asyncio.run(ask()) == {str(n): n % 5 for n in range(30)}


class TestStatus:
    def test_status_reports_what_is_there_and_what_is_not(self, site: Site):
        lines = json.loads(site.run("status", "--json", check=5).stdout)
        assert lines["stack bincount-local-recount"] == "CREATE_COMPLETE"
        assert lines["stack bincount-local-serving"] == "not deployed"
        assert "stack bincount-local-serving is missing" in lines["state"]
        assert lines["endpoint"] == "bincount-local is InService, 1 instance(s)"
        assert lines["approved model"].endswith("models/one/output/model.tar.gz")
        assert lines["last recount"].split(",")[0] in ("FAILED", "SUCCEEDED")
        assert "endpoint" in site.run("status", check=5).stdout
