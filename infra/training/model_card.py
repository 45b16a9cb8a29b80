"""The setting release.model_card: a model card in each registered package, and one of its own."""

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.names import Names, Prefix
from infra.settings import Settings
from infra.shared.functions import PlainFunction
from infra.shared.grants import grant_read, sagemaker_arn
from infra.shared.nag import explain_wildcards
from infra.shared.state_language import State, any_fault, catch, lambda_fault, never, task
from infra.shared.tags import job_tags

REFUSED = "SageMaker.SageMakerException"
IS_THERE = "SageMaker.ConflictException"
STATUS = "$states.input.verdict.accepted ? 'PendingReview' : 'Draft'"
AS_IT_CAME = "{% $states.input %}"


class CardWriter(PlainFunction):
    """The Lambda that writes a card's content; it reads what training left beside the model."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bucket: s3.IBucket,
        runtime: lambda_.Runtime,
        log_group: logs.ILogGroup,
    ) -> None:
        super().__init__(
            scope,
            id,
            module="model_card",
            along=("model_card_content",),
            runtime=runtime,
            log_group=log_group,
            timeout=Duration.minutes(2),
            memory_mib=512,
        )
        grant_read(self.own_role, bucket, Prefix.MODELS)


def grant_cards(role: iam.Role, *, settings: Settings) -> None:
    """Allow `role` to create and renew the cards of the stage's packages."""
    cards = f"{Names(settings.stage).model_package_group}-*"
    actions = ["sagemaker:CreateModelCard", "sagemaker:UpdateModelCard", "sagemaker:AddTags"]
    arn = sagemaker_arn(role, "model-card", cards)
    role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[arn]))
    explain_wildcards(role, {f":model-card/{cards}": "cards are named after the versions of the registry"})


def card_states(
    *, settings: Settings, partition: str, function: str, register: State, next_state: str
) -> dict[str, State]:
    """States ahead of `Register` (whose state is `register`) that register the package with a card.

    A card is never a reason not to register: where it cannot be written, or SageMaker refuses it, the package
    is registered without.
    """
    written = task(
        function,
        {
            "stage": settings.stage,
            "risk_rating": settings.release.risk_rating,
            "training_job": "{% $states.input.candidate.training_job %}",
            "model_data": "{% $states.input.candidate.model_data %}",
            "dataset_id": "{% $states.input.dataset.dataset_id %}",
            "dataset_uri": "{% $states.input.dataset.uri %}",
            "image": "{% $states.input.serving_image %}",
            "champion": "{% $states.input.champion %}",
            "evaluation": "{% $states.input.evaluation %}",
            "verdict": "{% $states.input.verdict %}",
        },
        Retry=lambda_fault(),
        Catch=_passed_on("Register"),
        Assign={"card": "{% $states.result %}"},
        Output=AS_IT_CAME,
        next_state="RegisterWithCard",
    )
    own = settings.release.model_card == "card"
    card = {"ModelCardStatus": f"{{% {STATUS} %}}", "ModelCardContent": "{% $card.package %}"}
    registered = {
        **register,
        "Arguments": {**register["Arguments"], "ModelCard": card},
        "Catch": _passed_on("Register", REFUSED),
        "Next": "CreateCard" if own else next_state,
    }
    states = {"WriteCard": written, "RegisterWithCard": registered}
    return {**states, **(_own_card(settings, partition, next_state) if own else {})}


def _own_card(settings: Settings, partition: str, next_state: str) -> dict[str, State]:
    sdk = f"arn:{partition}:states:::aws-sdk:sagemaker"
    version = "$split($states.input.model_package, '/')[-1]"
    name = f"'{Names(settings.stage).model_package_group}-' & {version}"
    request: dict[str, Any] = {
        "ModelCardName": f"{{% {name} %}}",
        "Content": "{% $card.card %}",
        "ModelCardStatus": f"{{% {STATUS} %}}",
    }
    return {
        "CreateCard": task(
            f"{sdk}:createModelCard",
            {**request, "Tags": job_tags(settings)},
            Retry=[never(IS_THERE), *any_fault()],
            Catch=[*_passed_on("UpdateCard", IS_THERE), *_passed_on(next_state)],
            Output=AS_IT_CAME,
            next_state=next_state,
        ),
        "UpdateCard": task(
            f"{sdk}:updateModelCard",
            request,
            Catch=_passed_on(next_state),
            Output=AS_IT_CAME,
            next_state=next_state,
        ),
    }


def _passed_on(next_state: str, *errors: str) -> list[State]:
    """What was caught is the variable `card_fault`, for whoever reads the history; the input goes on."""
    return [{**each, "Output": AS_IT_CAME} for each in catch(next_state, *errors, assign="card_fault")]
