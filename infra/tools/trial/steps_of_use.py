"""The steps that use the release (images, a text file, a site, a rollback), and remove the stage."""

import csv
import gzip
import json
import os
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.names import VARIANT
from infra.tools.trial.journal import Entry, StepFailed
from infra.tools.trial.options import ROOT, Options
from infra.tools.trial.steps_to_release import StepsToRelease

IMAGES = 6
SITE = "sites/account-trial"
COUNTED = (0, 3, 4)  # exit statuses of `bincount site` that say it went through
NO_IMAGE = "This is not an image.\n"


class StepsOfUse(StepsToRelease):
    """What callers and the operator do with a stage that serves."""

    def count(self, entry: Entry) -> None:
        """Some images of the dataset through the API, and a text file, which must get an error response."""
        images = self._images()
        where = ["--stage", self.names.stage, "--json"]
        if self.settings.api.enabled:
            where += ["--api-url", self._api_url()]
        done = self.commands.bincount("count", *map(str, images), *where)
        if done.code:
            raise StepFailed(done.last)
        answers = [json.loads(line) for line in done.out.splitlines()]
        entry.facts["request_ids"] = [answer["request_id"] for answer in answers]
        entry.words += [
            f"{each['request_id']}: counted {each['count']} by {each['model']}" for each in answers
        ]
        text = self.options.folder / "notes.txt"
        text.write_text(NO_IMAGE, encoding="utf-8")
        rejected = self.commands.bincount("count", str(text), *where)
        answer: dict[str, Any] = json.loads(rejected.out.splitlines()[0]) if rejected.out else {}
        entry.facts["error_response"] = answer.get("error") or {"code": "none", "message": rejected.last}
        group = f"/aws/sagemaker/Endpoints/{self.names.endpoint}"
        streams = self.account.client("logs").describe_log_streams(logGroupName=group)["logStreams"]
        entry.facts["log_streams"] = [stream["logStreamName"] for stream in streams]

    def recount(self, entry: Entry) -> None:
        """The same images as a site in S3, held against a manifest."""
        s3, bucket = self.account.client("s3"), self.output("data", "BucketName")
        manifest = self.options.folder / "manifest.csv"
        images = self._images()
        for image in images:
            s3.upload_file(str(image), bucket, f"{SITE}/shelf/{image.name}")
        with manifest.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("id", "expected"), *((f"shelf/{i.stem}", 1) for i in images)])
        out = self.options.folder / "recount"
        arguments = [f"s3://{bucket}/{SITE}", "--manifest", str(manifest), "--out", str(out)]
        done = self.commands.bincount("site", *arguments, "--stage", self.names.stage)
        if done.code not in COUNTED:
            raise StepFailed(done.last)
        with (out / "recount.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        entry.facts["without_count"] = sum(not row["count"] for row in rows)
        entry.words += [line for line in done.out.splitlines() if line.startswith("started")]
        entry.words.append(f"{len(rows)} rows, {entry.facts['without_count']} of them without a count")
        # Of the calls before this recount: `count` may be run again later, and its ids are others then.
        asked = self.journal.steps["count"].facts if self.journal.done("count") else {}
        entry.facts["asked_ids"] = asked.get("request_ids", [])
        entry.facts["captured_ids"] = self._captured(s3, bucket)

    def rollback(self, entry: Entry) -> None:
        """The first model serves again."""
        if not self.journal.done("second") or self.journal.steps["second"].state == "skipped":
            entry.state, entry.error = "skipped", "there is no second model"
            return
        self.release(entry, "rollback", str(self.version("pipeline")))

    def _images(self) -> list[Path]:
        """Some images of the sealed dataset, one of each count first, as files here."""
        folder = self.options.folder / "images"
        if found := sorted(folder.glob("*.*")):
            return found
        s3 = self.account.client("s3")
        found = self.account.client("ssm").get_parameter(Name=self.names.parameter("dataset"))
        bucket, _, prefix = found["Parameter"]["Value"].removeprefix("s3://").partition("/")
        packed = s3.get_object(Bucket=bucket, Key=f"{prefix}manifest.jsonl.gz")["Body"].read()
        lines = [json.loads(line) for line in gzip.decompress(packed).decode().splitlines()]
        chosen = list({line["count"]: line for line in lines}.values())
        chosen += [line for line in lines if line not in chosen]
        folder.mkdir(parents=True, exist_ok=True)
        for line in chosen[:IMAGES]:
            s3.download_file(bucket, prefix + line["key"], str(folder / line["key"].rsplit("/", 1)[-1]))
        return sorted(folder.glob("*.*"))

    def _api_url(self) -> str:
        """The output ApiUrl; where AWS_ENDPOINT_URL names another cloud, the same API there.

        `/_aws/execute-api/<id>/<stage>` is how clouds in one process give an API an address.
        """
        url, elsewhere = self.output("api", "ApiUrl"), os.environ.get("AWS_ENDPOINT_URL")
        if not elsewhere:
            return url
        parts = urlsplit(url)
        return f"{elsewhere}/_aws/execute-api/{parts.netloc.split('.')[0]}{parts.path}"

    def _captured(self, s3: Any, bucket: str) -> list[str]:
        """The `inferenceId` of what was captured so far."""
        found: list[str] = []
        where = f"capture/{self.names.endpoint}/{VARIANT}/"
        for each in s3.list_objects_v2(Bucket=bucket, Prefix=where).get("Contents", []):
            lines = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().decode().splitlines()
            found += [
                str(json.loads(line)["eventMetadata"].get("inferenceId", "none")) for line in lines if line
            ]
        return found


AGAIN = ("data", "training", "serving")  # what was kept, and the endpoint's log group


class Removing(StepsOfUse):
    """Destroy, take over what was kept, remove all."""

    def destroy(self, entry: Entry) -> None:
        """`cdk destroy --all`; what the stage keeps stays."""
        done = self.commands.cdk("destroy", "--all", "--force", *self.cdk_options)
        if done.code:
            raise StepFailed("\n".join(self.account.failures(self.names, since=0)) or done.last)
        if remain := self.account.stacks(self.names):
            raise StepFailed(f"still there: {remain}")
        entry.facts["kept"] = self.account.left(self.names)
        entry.words += [f"kept {each}" for each in entry.facts["kept"]]

    def again(self, entry: Entry) -> None:
        """`make adopt`, and the stacks that hold what was kept."""
        if not self.account.stacks(self.names):
            done = self.commands.infra("adopt", "--stage", self.names.stage, *self.options.context)
            if done.code:
                raise StepFailed(done.last)
            entry.words += [line for line in done.out.splitlines() if "adopted" in line]
        self.cdk_deploy(*(self.names.stack(part) for part in AGAIN))
        entry.words += [f"{name}: {status}" for name, status in self.account.stacks(self.names).items()]

    def teardown(self, entry: Entry) -> None:
        """Nothing of the stage is left; a key is deleted by KMS days later. It may be run again."""
        if self.account.stacks(self.names):
            self.destroy(entry)
        stage = self.names.stage
        done = self.commands.infra("teardown", "--stage", stage, *self.options.context, typed=f"{stage}\n")
        entry.words += [line for line in done.out.splitlines() if line.startswith(("removed", "kept", "key"))]
        if done.code:
            raise StepFailed(done.last)
        lines = [line for line in done.out.splitlines() if "is deleted in" in line]
        entry.facts["key_line"] = lines[0] if lines else "no key was found"
        left = self.account.left(self.names)
        entry.facts["left"] = left or "nothing"
        if left:
            raise StepFailed(f"still there: {', '.join(left)}")


def removal_lines(options: Options) -> list[str]:
    """The commands that remove what a trial made, whatever became of it."""
    context = shlex.join(["-c", f"stage={options.stage}", *options.context])
    teardown = f"make teardown STAGE={options.stage}"
    if "region" in options.overrides:
        where = shlex.join(["-c", f"region={options.overrides['region']}"])
        teardown = f".venv/bin/python -m infra.tools.teardown --stage {options.stage} {where}"
    return [f"npx cdk destroy --all --force {context}", teardown]


def again_line(options: Options, *flags: str) -> str:
    """The trial's own command line with the same settings and other flags."""
    usual = ROOT / "build" / "account-trial" / options.stage
    folder = ["--folder", str(options.folder)] if options.folder != usual else []
    out = ["--out", str(options.out)] if options.out != options.folder / "evidence.json" else []
    words = ["--stage", options.stage, *options.context, *folder, *out, *flags]
    return f".venv/bin/python -m infra.tools.trial {shlex.join(words)}"
