"""The page's files as routes of the API: each one goes straight to its own object in S3."""

from pathlib import Path

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from infra.api.error_responses import error_template
from infra.shared.nag import acknowledge

_WEB = Path(__file__).resolve().parents[2] / "web"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
WRITTEN = "page.json"
"""Each server of the page writes it itself."""
_ELSEWHERE = ("queue.html", "queue.js")
"""They ask what the server on a person's machine alone has (client/bincount/page)."""


def page_files() -> tuple[str, ...]:
    """The page's files by their paths below web/. Raises ValueError for one of a type that has no media type
    here."""
    found = sorted(path.relative_to(_WEB).as_posix() for path in _WEB.rglob("*") if path.is_file())
    unknown = [path for path in found if Path(path).suffix not in _TYPES]
    if unknown:
        raise ValueError(f"web/{unknown[0]}: a file of {', '.join(_TYPES)} is expected: add its type here")
    return tuple(path for path in found if path not in (WRITTEN, *_ELSEWHERE))


def pages() -> tuple[str, ...]:
    """Those of them that a person opens."""
    return tuple(path for path in page_files() if path.endswith(".html"))


def security_headers(*, login: str) -> dict[str, str]:
    """What binds a browser that shows the page; `login` is the address that gives it tokens.

    Nothing but the page's own files, no script and no style within a page, Trusted Types; what is asked of
    others is the login alone.
    """
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        f"connect-src 'self' {login}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Strict-Transport-Security": "max-age=63072000",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        # Asked for anew each time, and answered 304 where nothing changed: no two versions are mixed.
        "Cache-Control": "no-cache",
    }


class PageFiles(Construct):
    """A GET for each file below `root`; a caller chooses no part of a path, so there is none to climb out by.

    The objects are assets of the CDK, named by their content: a deployment of the API shows one version of
    all files, and a rollback shows the former one.
    """

    def __init__(
        self, scope: Construct, id: str, *, root: apigateway.Resource, headers: dict[str, str]
    ) -> None:
        super().__init__(scope, id)
        self._headers = headers
        self._role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),  # pyright: ignore[reportArgumentType]
        )
        folders = {Path(): root}
        for path in map(Path, page_files()):
            folder = folders.get(path.parent) or root.add_resource(str(path.parent))
            folders[path.parent] = folder
            self._add(path, folder.add_resource(path.name))

    def _add(self, path: Path, resource: apigateway.Resource) -> None:
        asset = s3_assets.Asset(self, path.as_posix().replace("/", "-"), path=str(_WEB / path))
        object_arn = asset.bucket.arn_for_objects(asset.s3_object_key)
        self._role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=[object_arn]))
        responses = self._responses(_TYPES[path.suffix])
        method = resource.add_method(
            "GET",
            apigateway.AwsIntegration(
                service="s3",
                integration_http_method="GET",
                path=f"{asset.s3_bucket_name}/{asset.s3_object_key}",
                options=apigateway.IntegrationOptions(
                    credentials_role=self._role,  # pyright: ignore[reportArgumentType]
                    request_parameters={
                        "integration.request.header.If-None-Match": "method.request.header.If-None-Match"
                    },
                    integration_responses=responses,
                ),
            ),
            authorization_type=apigateway.AuthorizationType.NONE,
            request_parameters={"method.request.header.If-None-Match": False},
            method_responses=method_responses(responses),
        )
        open_to_all(method, reason="the page's files hold no data, and come before anyone can sign in")

    def _responses(self, media_type: str) -> list[apigateway.IntegrationResponse]:
        found = static_headers({**self._headers, "Content-Type": media_type})
        found["method.response.header.ETag"] = "integration.response.header.ETag"
        # A 304 keeps the headers of the answer that it stands for.
        return [
            apigateway.IntegrationResponse(
                status_code="200", selection_pattern="200", response_parameters=found
            ),
            apigateway.IntegrationResponse(
                status_code="304", selection_pattern="304", response_parameters=found
            ),
            apigateway.IntegrationResponse(
                status_code="502",
                response_parameters=static_headers({**self._headers, "Content-Type": "application/json"}),
                response_templates={
                    "application/json": error_template("upstream_failed", "a file of the page is missing")
                },
            ),
        ]


def static_headers(headers: dict[str, str]) -> dict[str, str]:
    """`headers` as parameters of an integration response; API Gateway takes off the outer quotes alone."""
    return {f"method.response.header.{name}": f"'{value}'" for name, value in headers.items()}


def method_responses(responses: list[apigateway.IntegrationResponse]) -> list[apigateway.MethodResponse]:
    """What a method declares so that API Gateway keeps those headers."""
    return [
        apigateway.MethodResponse(
            status_code=response.status_code,
            response_parameters=dict.fromkeys(response.response_parameters or {}, True),
        )
        for response in responses
    ]


def open_to_all(method: apigateway.Method, *, reason: str) -> None:
    """Accept that `method` asks for no authorization."""
    acknowledge(method, rule="AwsSolutions-APIG4", reason=reason)
