"""What is assumed of data preparation, training and the gate."""

from infra.tools.trial.assumption import TRIAL, Assumption, Seen, Verdict, every, fact, only_if, passed

PART = "The pipeline"


def _tuned(seen: Seen) -> Verdict:
    """The job is there as soon as its creation was answered, whatever became of its trials."""
    entry = seen.steps.get("pipeline")
    if entry is None:
        return Verdict(state="not reached")
    left: list[str] = entry.facts.get("left", [])
    jobs: list[str] = entry.facts.get("job_statuses", [])
    if jobs or "CreateHyperParameterTuningJob" in left:
        words = jobs or ["CreateHyperParameterTuningJob was answered"]
        return Verdict(state="held", step="pipeline", words=tuple(words))
    reached = "CreateHyperParameterTuningJob" in entry.facts.get("entered", [])
    if reached and entry.state == "failed":
        return Verdict(state="broken", step="pipeline", words=(entry.error,))
    return Verdict(state="not reached", step="pipeline", reason=entry.error[:500])


ASSUMPTIONS = (
    Assumption(
        name="unsigned-source",
        part=PART,
        believed="the public bucket lets anybody list and read without credentials",
        ground="D",
        why="the Registry of Open Data says `--no-sign-request`",
        shows="`TransferFailed` in the first states",
        command="aws s3 ls --no-sign-request s3://aft-vbi-pds/",
        by="trial",
        check=only_if(
            lambda settings: settings.data_prep.unsigned,
            "the stage reads its source with credentials",
            passed("pipeline", signs="TransferFailed|AccessDenied|Forbidden", state="Index"),
        ),
    ),
    Assumption(
        name="jsonata-maps",
        part=PART,
        believed="a Distributed Map takes JSONata in ItemReader, ItemBatcher and ResultWriter",
        ground="P",
        why="published definitions have such expressions; none was seen to run",
        shows="`Index` or `Arrange` fails with `States.QueryEvaluationError` or `States.ItemReaderFailed`",
        command=TRIAL,
        by="trial",
        check=passed("pipeline", signs="QueryEvaluationError|ItemReaderFailed|BatchInput", state="Arrange"),
    ),
    Assumption(
        name="empty-map",
        part=PART,
        believed="what a Distributed Map does with an empty array does not matter: none is started over one",
        ground="B",
        why="no public text says it; a Choice is before every map",
        shows="a second run on a sealed dataset fails with `States.ItemReaderFailed`",
        command=TRIAL,
        by="trial",
        check=passed("second", signs="ItemReader|Index|Arrange", state="PublishDataset"),
    ),
    Assumption(
        name="map-concurrency",
        part=PART,
        believed="50 Lambda invocations at once are allowed",
        ground="D",
        why="Lambda's default of 1,000; new accounts get 10",
        shows="`Lambda.TooManyRequestsException`, tried again",
        command="make doctor STAGE=<stage>",
        by="doctor",
        because="300 images are 4 invocations; the doctor asks for the quota",
    ),
    Assumption(
        name="imagenet-weights",
        part=PART,
        believed="a Lambda may fetch torchvision's weights from download.pytorch.org, and their digest is "
        "the known one",
        ground="P",
        why="torchvision names both; Lambda has the internet outside a VPC",
        shows="`WeightsUnavailable`",
        command="make weights STAGE=<stage>",
        by="trial",
        check=only_if(
            lambda settings: settings.training.stages_weights,
            "the stage stages no weights",
            passed("pipeline", signs="WeightsUnavailable|StageWeights", state="StageWeights"),
        ),
    ),
    Assumption(
        name="tuning-fields",
        part=PART,
        believed="the call that starts the tuning job takes every field we send",
        ground="M",
        why="botocore's model, against which a test checks the request; not every rule is in it",
        shows="`States.Runtime` or `SageMaker.ValidationException` in the first training state",
        command="aws stepfunctions test-state with the state's definition",
        by="doctor, trial",
        check=_tuned,
    ),
    Assumption(
        name="gpu-driver",
        part=PART,
        believed="the training host's driver serves the container's CUDA 13.3",
        ground="B",
        why="AWS publishes no driver version of training hosts",
        shows='the job ends at once: "SM_NUM_GPUS says 1, torch sees none"',
        command=TRIAL,
        by="trial",
        check=only_if(
            lambda settings: settings.training.has_gpu,
            "the training instance has no GPU",
            passed("pipeline", signs="SM_NUM_GPUS|cuda|driver", state="Tune"),
        ),
    ),
    Assumption(
        name="tags-of-trials",
        part=PART,
        believed="the tuning job's tags go on to its training jobs, by which the budget counts them",
        ground="D",
        why="CreateHyperParameterTuningJob's reference",
        shows="training jobs without the tag `system`",
        command="aws sagemaker list-tags --resource-arn <training job>",
        by="trial",
        check=fact("pipeline", "tags", right=lambda said: all("system=" in each for each in said)),
    ),
    Assumption(
        name="spot-training",
        part=PART,
        believed="managed spot instances become available within `training.max_wait_seconds`",
        ground="D",
        why="SageMaker's page on spot training; supply is nobody's promise",
        shows="a job that waits, then fails with `MaxWaitTimeExceeded`",
        command=TRIAL,
        by="trial",
        check=only_if(
            lambda settings: settings.training.spot,
            "the stage trains on demand",
            passed("pipeline", signs="MaxWaitTime|CapacityError|capacity", state="Tune"),
        ),
    ),
    Assumption(
        name="fast-file",
        part=PART,
        believed="FastFile streams tar shards at the rate of the disk",
        ground="D",
        why="SageMaker's page on input modes; sequential reads",
        shows="images per second far below [the measured rate](../benchmarks/README.md#training)",
        command="a job's log, in `prod`",
        by="nobody yet",
        because="300 images are one shard, which shows no rate",
    ),
    Assumption(
        name="checkpoint-local",
        part=PART,
        believed="all trials of a tuning job share one checkpoint address, and each downloads all of it at "
        "its start",
        ground="D",
        why="SageMaker's page on checkpoints",
        shows='a long "Downloading" of the later trials',
        command="aws sagemaker describe-training-job --training-job-name <a later trial>",
        by="nobody yet",
        because="a trial that is done empties its folder; two of 300 images leave nothing to measure",
    ),
    Assumption(
        name="warm-start",
        part=PART,
        believed="with `training.warm_start`, SageMaker takes an earlier tuning job as parent, with "
        "the rights that the pipeline has",
        ground="D",
        why="SageMaker's page on warm start, whose rules `FindParents` holds; of rights it says nothing",
        shows="`CreateFromParents` fails, and the tuning job starts without parents",
        command="aws sagemaker describe-hyper-parameter-tuning-job --query WarmStartConfig",
        by="nobody yet",
        because="the trial runs the pipeline once, and a first run has no parents",
    ),
    Assumption(
        name="gate-image",
        part=PART,
        believed="a processing job pulls the stage's own serving image with the roles' rights",
        ground="D",
        why="SageMaker's page on processing roles",
        shows="the job fails with `ClientError: … ECR`",
        command=TRIAL,
        by="trial",
        check=passed(
            "pipeline", signs="CreateProcessingJob|EvaluationFailed.*(ECR|image|pull)", state="Evaluate"
        ),
    ),
    Assumption(
        name="register-rights",
        part=PART,
        believed="CreateModelPackage looks at archive and image with the rights of the caller, who has them",
        ground="P",
        why="error texts that others published",
        shows="`Register` fails with `AccessDenied` or `ValidationException`",
        command=TRIAL,
        by="trial",
        check=every(
            passed("pipeline", signs="Register|CreateModelPackage", state="Register"), passed("pipeline")
        ),
    ),
    Assumption(
        name="managed-mlflow",
        part=PART,
        believed="SageMaker's MLflow answers at the hosts, by the headers and with the signature of AWS's "
        "own plugin",
        ground="P",
        why="sagemaker-mlflow 0.3.0: an app is signed for as `sagemaker`, a server as `sagemaker-mlflow`",
        shows="`RunsNotLogged` in the pipeline's output, with 403 or no answer",
        command="bincount runs --stage <stage> --log-to <ARN of an MLflow app>",
        by="nobody yet",
        because="the trial's stage names no MLflow: one would have to be made first",
    ),
)
