"""The steps of a trial in their order."""

STEPS = (
    "doctor",
    "deploy",
    "pipeline",
    "approve",
    "count",
    "recount",
    "second",
    "rollback",
    "destroy",
    "again",
    "teardown",
)
REMOVING = ("destroy", "again", "teardown")
OPTIONAL = ("recount", "second", "rollback", "again")
WORDS = {
    "doctor": "what the account lacks, and the CDK's own stack in it",
    "deploy": "npx cdk deploy --all",
    "pipeline": "prepare, train and tune, gate, register",
    "approve": "bincount models approve: the endpoint comes up",
    "count": "bincount count over HTTPS, and a file that is no image",
    "recount": "bincount site s3://…: a batch transform",
    "second": "the gate judges the other trial's model, and it takes over",
    "rollback": "bincount models rollback: the first model serves again",
    "destroy": "npx cdk destroy --all",
    "again": "make adopt, and a deploy onto what was kept",
    "teardown": "npx cdk destroy --all, make teardown",
}
