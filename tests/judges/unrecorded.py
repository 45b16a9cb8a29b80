"""States whose expressions no recording has reached, and why."""

from collections.abc import Mapping

FAULT = (
    "reached only where AWS refuses or fails a call at that moment; no run of RECORDED (Makefile) does that"
)
NOT_YET = "runs on the embedded cloud reach it, but none was recorded yet: make recordings, then take it out"
UNRECORDED: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("pipeline", "CreateHyperParameterTuningJob"): {"error": NOT_YET},
    ("pipeline", "CreateProcessingJob"): {"error": NOT_YET},
    ("pipeline", "HyperParameterTuningJobFailed"): {"entry": NOT_YET},
    ("pipeline", "NoTrialFinished"): {"entry": NOT_YET},
    ("pipeline", "ProcessingJobFailed"): {"entry": NOT_YET},
    ("pipeline-stop", "CheckHyperParameterTuningJob"): {"entry": NOT_YET, "result": NOT_YET},
    ("pipeline-stop", "CheckProcessingJob"): {"entry": NOT_YET, "result": NOT_YET},
    ("pipeline-stop", "DescribeHyperParameterTuningJob"): {
        "entry": NOT_YET,
        "error": NOT_YET,
        "result": NOT_YET,
    },
    ("pipeline-stop", "DescribeProcessingJob"): {"entry": NOT_YET, "error": NOT_YET, "result": NOT_YET},
    ("pipeline-stop", "IsHyperParameterTuningJobRunning"): {"entry": NOT_YET},
    ("pipeline-stop", "IsProcessingJobRunning"): {"entry": NOT_YET},
    ("pipeline-stop", "HasHyperParameterTuningJobEnded"): {"entry": NOT_YET},
    ("pipeline-stop", "HasProcessingJobEnded"): {"entry": NOT_YET},
    ("pipeline-stop", "HyperParameterTuningJobNotDescribed"): {"entry": FAULT},
    ("pipeline-stop", "HyperParameterTuningJobStillRunning"): {"entry": FAULT},
    ("pipeline-stop", "ProcessingJobNotDescribed"): {"entry": FAULT},
    ("pipeline-stop", "ProcessingJobStillRunning"): {"entry": FAULT},
    ("pipeline-stop", "StopHyperParameterTuningJob"): {"entry": NOT_YET, "error": NOT_YET},
    ("pipeline-stop", "StopProcessingJob"): {"entry": NOT_YET, "error": NOT_YET},
    ("pipeline-stop", "WasHyperParameterTuningJobDescribed"): {"entry": NOT_YET},
    ("pipeline-stop", "WasProcessingJobDescribed"): {"entry": NOT_YET},
    ("recount", "CreateTransformJob"): {"error": NOT_YET},
    ("recount", "TransformJobFailed"): {"entry": NOT_YET},
    ("recount-stop", "CheckTransformJob"): {"entry": NOT_YET, "result": NOT_YET},
    ("recount-stop", "DescribeTransformJob"): {"result": NOT_YET},
    ("recount-stop", "IsTransformJobRunning"): {"entry": NOT_YET},
    ("recount-stop", "HasTransformJobEnded"): {"entry": NOT_YET},
    ("recount-stop", "StopTransformJob"): {"entry": NOT_YET, "error": NOT_YET},
    ("recount-stop", "TransformJobStillRunning"): {"entry": FAULT},
    ("release", "CheckEndpoint"): {"error": FAULT},
    ("release", "RejectPackage"): {"error": FAULT},
    ("release", "SettleRollback"): {"error": FAULT},
    ("release", "SmokeTest"): {"error": FAULT},
    ("release", "WriteParameter"): {"error": FAULT},
}
"""(machine, state) -> {kind of moment: reason}."""
