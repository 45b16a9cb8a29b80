"""The steps that look at the account, deploy, train and release."""

import json
import time
from dataclasses import dataclass
from typing import Any

from infra.names import Names
from infra.settings import Settings
from infra.tools.leftovers import pages
from infra.tools.trial.account import Account
from infra.tools.trial.commands import Commands, Progress
from infra.tools.trial.execution import follow
from infra.tools.trial.journal import Entry, Journal, StepFailed
from infra.tools.trial.options import Options

NO_KEY = "AWS's own key"
BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
SETTLED_HERE = ("left from before", "budget", "alarms reach a person")
"""Findings that stop no trial: it looks itself, is over before a budget warns, and waits for no mail."""


@dataclass(frozen=True, kw_only=True)
class StepsToRelease:
    """`entry` of each step is in the journal; facts are written as they are seen, also before a failure."""

    options: Options
    settings: Settings
    account: Account
    commands: Commands
    journal: Journal
    progress: Progress

    @property
    def names(self) -> Names:
        """The fixed names of the stage."""
        return Names(self.settings.stage)

    def doctor(self, entry: Entry) -> None:
        """`make doctor`: raises StepFailed where something is missing that no trial settles."""
        done = self.commands.infra("doctor", "--stage", self.names.stage, "--json", *self.options.context)
        if done.code not in (0, 1) or not done.out.strip():
            raise StepFailed(f"make doctor did not run: {done.last}")
        findings: list[dict[str, str]] = json.loads(done.out)
        entry.facts["findings"] = {finding["name"]: finding["state"] for finding in findings}
        entry.words += [f"{each['state']}: {each['name']}: {each['text']}" for each in findings]
        passed = (*SETTLED_HERE, *self.options.despite)
        missing = [f for f in findings if f["state"] == "missing" and f["name"] not in passed]
        if missing:
            lines = [f"{each['name']}: {each['text']}\n    next: {each['next']}" for each in missing]
            raise StepFailed("the doctor misses:\n  " + "\n  ".join(lines))
        entry.facts["bootstrap"] = self._bootstrap()

    def _bootstrap(self) -> str:
        ssm = self.account.client("ssm")
        try:
            return ssm.get_parameter(Name=BOOTSTRAP)["Parameter"]["Value"]
        except ssm.exceptions.ParameterNotFound as error:
            where = f"aws://{self.account.number}/{self.account.region}"
            raise StepFailed(f"the CDK is not at home here: npx cdk bootstrap {where}, then again") from error

    def deploy(self, entry: Entry) -> None:
        """`cdk deploy --all`, and what AWS made of it."""
        self.cdk_deploy("--all")
        entry.words += [f"{name}: {status}" for name, status in self.account.stacks(self.names).items()]
        entry.facts["log_groups"] = self._log_groups()
        if self.settings.api.enabled:
            api = self.output("api", "ApiUrl").split("//", 1)[1].split(".", 1)[0]
            found = self.account.client("apigateway").get_rest_api(restApiId=api)
            entry.words += [
                f"{k}: {found[k]}" for k in ("securityPolicy", "endpointAccessMode") if k in found
            ]

    def _log_groups(self) -> list[str]:
        """Of each group of the stage's stacks: its name and the address of its key."""
        stacks, logs = self.account.client("cloudformation"), self.account.client("logs")
        found: list[str] = []
        for stack in self.account.stacks(self.names):
            for each in pages(stacks, "list_stack_resources", "StackResourceSummaries", StackName=stack):
                if each["ResourceType"] != "AWS::Logs::LogGroup":
                    continue
                name = each["PhysicalResourceId"]
                groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
                key = next(g.get("kmsKeyId", NO_KEY) for g in groups if g["logGroupName"] == name)
                found.append(f"{name}: {key}")
        return found

    def cdk_deploy(self, *stacks: str) -> None:
        """Raises StepFailed with CloudFormation's reasons."""
        since = time.time()
        done = self.commands.cdk("deploy", *stacks, "--require-approval", "never", *self.cdk_options)
        if done.code:
            reasons = self.account.failures(self.names, since=since)
            raise StepFailed("\n".join(reasons) or done.last)

    @property
    def cdk_options(self) -> list[str]:
        """Which stage, with which settings; templates lie beside the evidence, as `cdk.out` may be yours."""
        templates = str(self.options.folder / "cdk.out")
        return ["-c", f"stage={self.names.stage}", *self.options.context, "--output", templates]

    def pipeline(self, entry: Entry) -> None:
        """One execution of the pipeline; one that runs already is followed."""
        try:
            output = self._execute(entry, {})
        finally:
            self._training_jobs(entry)
            self.journal.save()
        self._keep_package(entry, output)

    def approve(self, entry: Entry) -> None:
        """A person's approval, and the release that it starts."""
        self.release(entry, "approve", str(self.version("pipeline")), "--note", "account-trial")

    def second(self, entry: Entry) -> None:
        """The other trial's model through the gate, without training; then it takes over."""
        if "package" not in entry.facts:
            first = self.journal.steps["pipeline"].facts["training_job"]
            jobs: dict[str, str] = self.journal.steps["pipeline"].facts["artifacts"]
            others = [(job, data) for job, data in jobs.items() if job != first]
            if not others:
                entry.state, entry.error = "skipped", "only one trial of the tuning job ended well"
                return
            job, data = others[0]
            candidate = {"training_job": job, "model_data": data}
            self._keep_package(entry, self._execute(entry, {"candidate": candidate}))
        self.release(entry, "approve", str(self.version("second")), "--note", "account-trial")

    def release(self, entry: Entry, command: str, *arguments: str) -> None:
        """`bincount models …` to its end, and what the endpoint is then."""
        done = self.commands.bincount("models", command, *arguments, "--stage", self.names.stage)
        if done.code:
            raise StepFailed(done.last)
        endpoint = self.account.client("sagemaker").describe_endpoint(EndpointName=self.names.endpoint)
        entry.words += [
            f"{endpoint['EndpointArn']}: {endpoint['EndpointStatus']}, {endpoint['EndpointConfigName']}"
        ]
        entry.words += [line for line in done.out.splitlines() if line.startswith("version")]

    def version(self, step: str) -> int:
        """The number of the package that a step registered."""
        package: str = self.journal.steps[step].facts["package"]
        return int(package.rsplit("/", 1)[-1])

    def output(self, part: str, key: str) -> str:
        """An output of a stack."""
        stack = self.names.stack(part)
        stacks = self.account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return next(row["OutputValue"] for row in stacks[0]["Outputs"] if row["OutputKey"] == key)

    def _execute(self, entry: Entry, given: dict[str, Any]) -> dict[str, Any]:
        states = self.account.client("stepfunctions")
        arn = entry.facts.get("execution")
        if not arn or states.describe_execution(executionArn=arn)["status"] not in ("RUNNING", "SUCCEEDED"):
            machine = self.output("training", "PipelineArn")
            arn = states.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]
            entry.facts["execution"] = arn
            self.journal.save()
        output = follow(states, arn, entry=entry, deadline=self.commands.deadline, say=self.progress.detail)
        return json.loads(output)

    def _keep_package(self, entry: Entry, output: dict[str, Any]) -> None:
        verdict = output["verdict"]
        if "model_package" not in output:
            raise StepFailed(f"the gate rejected the model: {'; '.join(verdict['reasons'])}")
        entry.facts["package"] = output["model_package"]
        entry.words.append(f"{output['model_package']}: {'; '.join(verdict['reasons']) or 'accepted'}")
        package = self.account.client("sagemaker").describe_model_package(
            ModelPackageName=output["model_package"]
        )
        serves = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        jobs: dict[str, str] = entry.facts.get("artifacts", {})
        entry.facts["training_job"] = next((job for job, data in jobs.items() if data == serves), "")
        self.journal.save()

    def _training_jobs(self, entry: Entry) -> None:
        """What SageMaker says of the tuning job's trials."""
        client = self.account.client("sagemaker")
        # SageMaker forgets no job: those of former trials have lost their data.
        where = {"NameContains": self.names.tuning_jobs, "CreationTimeAfter": self.journal.began}
        found = pages(client, "list_training_jobs", "TrainingJobSummaries", **where)
        jobs = [client.describe_training_job(TrainingJobName=job["TrainingJobName"]) for job in found]
        entry.facts["job_statuses"] = [_statuses(job) for job in jobs]
        entry.facts["artifacts"] = {
            job["TrainingJobName"]: job["ModelArtifacts"]["S3ModelArtifacts"]
            for job in jobs
            if job["TrainingJobStatus"] == "Completed"
        }
        tags = [client.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] for job in jobs]
        entry.facts["tags"] = [", ".join(f"{tag['Key']}={tag['Value']}" for tag in each) for each in tags]
        entry.words += entry.facts["job_statuses"]


def _statuses(job: dict[str, Any]) -> str:
    """One line: every status that the job went through, and why it failed."""
    went = " > ".join(each["Status"] for each in job.get("SecondaryStatusTransitions", []))
    reason = f": {job['FailureReason']}" if job.get("FailureReason") else ""
    kind = job["ResourceConfig"]["InstanceType"]
    return f"{job['TrainingJobName']} on {kind}: {went or job['TrainingJobStatus']}{reason}"
