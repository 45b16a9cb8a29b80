"""Enforces IAM where ministack does not: the added services, rights beside the action, roles of services."""

import contextvars
from collections.abc import Callable
from typing import Any

from embedded_cloud.aws import Credentials
from embedded_cloud.errors import AwsError
from embedded_cloud.iam import credentials, requested_rights
from embedded_cloud.identity import ACCOUNT, REGION
from embedded_cloud.ministack_hooks.parts import iam_actions, iam_evaluator, lambda_runtime, router
from embedded_cloud.sagemaker.runtime import Response
from embedded_cloud.wire import error_response


def install() -> None:
    """Lets ministack's enforcement know the added services and the account's owner; once in a process."""
    iam_actions.SERVICE_TO_IAM_NAMESPACE.update(requested_rights.NAMESPACES)
    action_of, arn_of = iam_actions.extract_iam_action, iam_actions.extract_resource_arn

    def extract_iam_action(
        service: str, method: str, path: str, headers: Any, body: bytes, query_params: Any
    ) -> str | None:
        return requested_rights.runtime_action(service, path) or action_of(
            service, method, path, headers, body, query_params
        )

    def extract_resource_arn(
        service: str,
        method: str,
        path: str,
        headers: Any,
        body: bytes,
        query_params: Any,
        region: str,
        account_id: str,
    ) -> str:
        own = requested_rights.resource_arn(service=service, path=path, headers=headers, body=body)
        return own or arn_of(service, method, path, headers, body, query_params, region, account_id)

    _teach_credentials()
    iam_actions.extract_iam_action = extract_iam_action
    iam_actions.extract_resource_arn = extract_resource_arn


def _teach_credentials() -> None:
    iam_evaluator.is_root_access_key = credentials.is_owner
    iam_evaluator._is_root_key = credentials.is_exempt
    iam_evaluator.resolve_caller_identity = credentials.with_owner_known(
        iam_evaluator.resolve_caller_identity, account=lambda: ACCOUNT
    )
    iam_evaluator.enforce = credentials.refusing_nobody(
        iam_evaluator.enforce,
        is_anonymous=lambda: iam_evaluator._anonymous.get(),
        refuse=lambda: iam_evaluator.EvalResult("ImplicitDeny", principal_arn="anonymous"),
    )


def with_further_rights(
    handle: Callable[..., Any], rights: Callable[..., list[tuple[str, str, dict[str, str]]]]
) -> Callable[..., Any]:
    """Refuses a request whose caller has not all `rights` that it needs beside those of its action."""

    async def checked(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Response:
        for action, arn, context in rights(headers=headers, body=body):
            key, service = router.extract_access_key_id(headers, query), action.partition(":")[0]
            if iam_evaluator.enforce(key, action, service, REGION, resource_arn=arn, service_context=context):
                message = f"The caller is not authorized to perform: {action} on resource: {arn}"
                return error_response(AwsError("AccessDeniedException", message))
        return await handle(method, path, headers, body, query)

    return checked


def authorise(role: str, action: str, arn: str) -> bool:
    """Whether a role may do `action` on `arn`: asked for what a service does in its own process."""
    if not role:
        return False
    key = role_credentials(role, "embedded-cloud")["AWS_ACCESS_KEY_ID"]
    service = action.partition(":")[0]

    def denied() -> object:
        iam_evaluator.pin_request_origin("127.0.0.1", True)  # services speak TLS to one another
        return iam_evaluator.enforce(key, action, service, REGION, arn)

    # In a context of its own: the caller's request (perhaps unsigned) is not what is checked here.
    return contextvars.Context().run(denied) is None


def role_credentials(role: str, session: str) -> Credentials:
    """A session of a role, as Lambda gets for a function's."""
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{session}"
    return lambda_runtime.execution_credentials({"Role": role, "FunctionName": session, "FunctionArn": arn})
