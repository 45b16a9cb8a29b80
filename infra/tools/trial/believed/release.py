"""What is believed of a release: of CloudFormation's update, the endpoint's, and what goes back."""

from infra.tools.trial.assumption import Assumption, fact, passed

PART = "The release"
TRIAL = "make account-trial"

ASSUMPTIONS = (
    Assumption(
        name="approval-event",
        part=PART,
        believed="an approval makes an event that names the package, and EventBridge starts the release "
        "with it",
        ground="D",
        why="SageMaker's page on EventBridge",
        shows="`bincount models approve` ends with: no release of it has begun",
        command="bincount models approve VERSION",
        by="trial",
        check=passed("approve", signs="no release of it has begun"),
    ),
    Assumption(
        name="typed-parameter",
        part=PART,
        believed="UpdateStack with `UsePreviousValue` reads the SSM parameter again",
        ground="D",
        why="CloudFormation's page on SSM parameter types",
        shows='the stack answers "No updates are to be performed"; the release ends failed, nothing changes',
        command="bincount models approve VERSION",
        by="doctor, trial",
        check=passed("approve", signs="No updates are to be performed"),
    ),
    Assumption(
        name="parameter-reader",
        part=PART,
        believed="the caller of UpdateStack is who needs `ssm:GetParameters`",
        ground="P",
        why="error texts that others published",
        shows="`ValidationError … ssm:GetParameters` in UpdateStack",
        command="bincount models approve VERSION",
        by="trial",
        check=passed("approve", signs="ssm:GetParameters"),
    ),
    Assumption(
        name="blue-green",
        part=PART,
        believed="a second model comes by a blue/green update that CloudFormation waits for, and an older "
        "one the same way",
        ground="D",
        why="SageMaker's page on deployment guardrails",
        shows="UpdateEndpoint is refused, or the endpoint answers with the former model",
        command="bincount models rollback VERSION",
        by="trial",
        check=passed("rollback", signs="deployment|endpoint|rollback"),
    ),
    Assumption(
        name="endpoint-logs",
        part=PART,
        believed="SageMaker writes the server's lines into the log group that we made under its own name",
        ground="D",
        why="CreateLogGroup's reference: an existing group is kept",
        shows="the group stays empty, and metrics of the server's log with it",
        command="aws logs describe-log-streams --log-group-name /aws/sagemaker/Endpoints/bincount-<stage>",
        by="trial",
        check=fact("count", "log_streams", right=bool, missing="no stream was there yet"),
    ),
    Assumption(
        name="silent-rollback",
        part=PART,
        believed="an endpoint that SageMaker rolled back is InService on the former config",
        ground="P",
        why="reports of users",
        shows="nothing: the release compares and ends failed",
        command="break the model on purpose, approve it",
        by="nobody yet",
        because="it takes a model that answers with errors, and the gate lets none pass",
    ),
    Assumption(
        name="canary-alarms",
        part=PART,
        believed="both rollback alarms have data within the bake time",
        ground="B",
        why="metrics of a minute; how late they come is not published",
        shows="a bad model passes the bake",
        command="the same, in `prod`",
        by="nobody yet",
        because="as above; and a canary needs two instances",
    ),
    Assumption(
        name="retained-counts",
        part=PART,
        believed="`RetainAllVariantProperties` keeps the autoscaled count over an update",
        ground="D",
        why="UpdateEndpoint's reference",
        shows="the count falls back to the minimum",
        command="scale out, then release",
        by="nobody yet",
        because="the trial has one instance: scaling out needs more of the quota and a load",
    ),
)
