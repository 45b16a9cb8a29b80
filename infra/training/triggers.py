"""What starts the pipeline by itself: a schedule, or a file list that arrives. Both are off by default."""

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.names import Names, Prefix
from infra.settings import Settings
from infra.shared.state_machine import Undelivered


class Retraining(Construct):
    """The triggers that `settings.operations` asks for."""

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, pipeline: sfn.StateMachine, bucket: s3.IBucket
    ) -> None:
        super().__init__(scope, id)
        if not settings.operations.starts_pipeline:
            return
        self._undelivered = Undelivered(
            self, "Undelivered", name=Names(settings.stage).undelivered("pipeline")
        )
        if settings.operations.retrain:
            target = scheduler_targets.StepFunctionsStartExecution(
                pipeline,
                input=scheduler.ScheduleTargetInput.from_object({}),
                dead_letter_queue=self._undelivered,
            )
            scheduler.Schedule(
                self,
                "Schedule",
                schedule=scheduler.ScheduleExpression.expression(settings.operations.retrain),
                target=target,  # pyright: ignore[reportArgumentType]
                description="Trains a new model on the stage's own request",
            )
        if settings.operations.retrain_on_list:
            self._on_list(settings, pipeline, bucket)

    def _on_list(self, settings: Settings, pipeline: sfn.StateMachine, bucket: s3.IBucket) -> None:
        """The bucket sends its events to EventBridge; the list takes the place of the default."""
        request = settings.data_prep.request()
        for selection in ("file_list", "counts"):
            request.pop(selection, None)
        key = events.EventField.from_path("$.detail.object.key")
        wanted = {"request": {**request, "file_list": f"s3://{bucket.bucket_name}/{key}"}}
        events.Rule(
            self,
            "OnList",
            description="A file list arrived: train a new model on it",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [bucket.bucket_name]},
                    "object": {"key": [{"prefix": Prefix.REQUESTS}]},
                },
            ),
            targets=[
                targets.SfnStateMachine(  # pyright: ignore[reportArgumentType]
                    pipeline,
                    input=events.RuleTargetInput.from_object(wanted),
                    dead_letter_queue=self._undelivered,
                )
            ],
        )
