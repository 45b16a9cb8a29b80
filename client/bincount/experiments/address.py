"""Where an MLflow is, and how a request to it is signed: by SigV4, a bearer token, a password, or not at all.

Hosts, headers and services are those of AWS's plugin sagemaker-mlflow 0.3.0 (auth_provider.py,
mlflow_sagemaker_helpers.py, mlflow_sagemaker_request_header_provider.py).
"""

import base64
import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bincount.errors import BincountError

if TYPE_CHECKING:
    from botocore.credentials import Credentials

ARN = re.compile(
    r"arn:aws(?:-us-gov)?:sagemaker:(?P<region>[a-z0-9-]+):\d{12}:(?P<kind>mlflow-app|mlflow-tracking-server)/\S+"
)
_HOSTS = {
    "mlflow-app": "https://mlflow.sagemaker.{region}.app.aws",
    "mlflow-tracking-server": "https://{region}.experiments.sagemaker.aws",
}
_ROUTES = {"mlflow-app": "x-sm-mlflow-app-arn", "mlflow-tracking-server": "x-mlflow-sm-tracking-server-arn"}
_SERVICES = {"mlflow-app": "sagemaker", "mlflow-tracking-server": "sagemaker-mlflow"}


@dataclass(frozen=True, kw_only=True)
class Address:
    """An MLflow server. `url` has no slash at its end; `headers` go with each request.

    `service` and `region` are SigV4's; None where requests are not signed.
    """

    url: str
    headers: Mapping[str, str]
    service: str | None = None
    region: str | None = None

    def signed(
        self,
        *,
        method: str,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        credentials: Callable[[], "Credentials"],
    ) -> dict[str, str]:
        """The headers of this request, with those that sign it; `credentials` are asked for only then."""
        given = {**self.headers, **headers}
        if self.service is None or self.region is None:
            return given
        from botocore.auth import SigV4Auth  # here, as in stage/stage.py
        from botocore.awsrequest import AWSRequest

        given["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
        request = AWSRequest(method=method, url=url, data=body, headers=given)
        SigV4Auth(credentials(), self.service, self.region).add_auth(request)
        return dict(request.headers.items())


def parse_address(text: str, *, secret: str = "") -> Address:
    """An ARN of SageMaker's MLflow (app or tracking server), or a URL (https, or http on this machine).

    `secret` is a bearer token, or `user:password`; "": none. Raises BincountError for any other address.
    """
    if found := ARN.fullmatch(text):
        kind, region = found["kind"], found["region"]
        return Address(
            url=_HOSTS[kind].format(region=region),
            headers={_ROUTES[kind]: text},
            service=_SERVICES[kind],
            region=region,
        )
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise BincountError(
            f"{text!r} is no MLflow: the ARN of a SageMaker MLflow app or tracking server is expected, or "
            "https://…, or http://127.0.0.1:5000 (no password in it: set MLFLOW_TRACKING_TOKEN), or a folder "
            "such as ./mlruns"
        )
    if parts.scheme == "http" and parts.hostname != "127.0.0.1":
        raise BincountError(f"{text!r}: figures and tokens go over https only: write https://…")
    return Address(url=text.rstrip("/"), headers=_authorization(secret))


def secret_of_environment() -> str:
    """MLflow's own variables: MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and …_PASSWORD; else ""."""
    token = os.environ.get("MLFLOW_TRACKING_TOKEN", "")
    user = os.environ.get("MLFLOW_TRACKING_USERNAME", "")
    return token or (f"{user}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}" if user else "")


def _authorization(secret: str) -> dict[str, str]:
    if not secret:
        return {}
    if ":" in secret:
        return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
    return {"Authorization": f"Bearer {secret}"}
