"""What is assumed of removing a stage."""

from infra.tools.trial.assumption import Assumption, fact, only_if, passed

PART = "Removing"

ASSUMPTIONS = (
    Assumption(
        name="nodes-empty-buckets",
        part=PART,
        believed="the CDK's custom resource empties a large bucket within its 15 minutes",
        ground="B",
        why="no source says how many objects it manages",
        shows="`DELETE_FAILED` of the data stack",
        command="npx cdk destroy of a stage with many objects and `retain_data` false",
        by="nobody yet",
        because="the trial has a thousand objects, and keeps its bucket to take it over again",
    ),
    Assumption(
        name="late-endpoint-logs",
        part=PART,
        believed="the endpoint's last lines arrive before its log group is deleted",
        ground="B",
        why="how late SageMaker delivers them is not published",
        shows="the next deploy of the serving stack: `/aws/sagemaker/Endpoints/bincount-<stage>` "
        '"already exists" (`aws logs delete-log-group` removes it)',
        command="npx cdk destroy and deploy of a stage whose model served",
        by="trial",
        check=passed("again", signs=r"/aws/sagemaker/Endpoints"),
    ),
    Assumption(
        name="registry-emptied",
        part=PART,
        believed="DeleteModelPackageGroup follows its packages' deletion at once",
        ground="D",
        why="its reference asks for an empty group, and says nothing of delays",
        shows="`ConflictException` in `make teardown`; a second try helps",
        command="make teardown STAGE=<stage>",
        by="trial",
        check=passed("teardown", signs="Conflict"),
    ),
    Assumption(
        name="teardown-key",
        part=PART,
        believed="whoever may administer a key can read its tags",
        ground="D",
        why="ListResourceTags' reference",
        shows="`make teardown` says nothing of a key",
        command="make teardown STAGE=<stage>",
        by="trial",
        check=only_if(
            lambda settings: settings.storage.encryption == "kms",
            "the stage has no key of its own",
            fact("teardown", "key_line", right=lambda line: "is deleted in" in line),
        ),
    ),
    Assumption(
        name="nothing-left",
        part=PART,
        believed="after a teardown no stack, bucket, repository, parameter, endpoint or package group of "
        "the stage is there",
        ground="B",
        why="what AWS makes by itself beside ours is not all published",
        shows="the closing list of the trial names what is left",
        command="make teardown STAGE=<stage>",
        by="trial",
        check=fact("teardown", "left", right=lambda left: left == "nothing"),
    ),
)
