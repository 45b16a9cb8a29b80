"""Where training runs are remembered."""

from pydantic import Field

from infra.settings.section import Section, rule

MLFLOW_ARN = (
    r"arn:aws(-us-gov)?:sagemaker:[a-z0-9-]+:\d{12}:(mlflow-app|mlflow-tracking-server)/[A-Za-z0-9-]+"
)
# No password in it; http for a server on this machine alone, which only the embedded cloud reaches.
MLFLOW_URL = r"(https://[A-Za-z0-9.-]+|http://127\.0\.0\.1)(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?"


class Experiments(Section):
    """The MLflow into which the pipeline logs its runs (docs/experiments.md)."""

    mlflow: str = Field(
        "",
        pattern=rf"^({MLFLOW_ARN}|{MLFLOW_URL})?$",
        description="MLflow that the pipeline logs its runs to: ARN of a SageMaker MLflow app or tracking "
        "server, or the https URL of another; empty: none",
    )
    secret: str = Field(
        "",
        pattern=r"^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+)?$",
        description="secret with a bearer token, or user:password, for an MLflow by URL; empty: none",
    )
    artifacts: str = Field(
        "",
        pattern=r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.'()/-]*)?)?$",
        description="S3 folder in which that MLflow keeps artifacts, as SageMaker's do; empty: it takes them "
        "itself",
    )

    @property
    def is_managed(self) -> bool:
        """True for SageMaker's own."""
        return self.mlflow.startswith("arn:")

    @rule("artifacts", "mlflow")
    def _has_a_place_for_artifacts(self) -> str | None:
        if not self.is_managed or self.artifacts:
            return None
        return (
            "callers of SageMaker's MLflow write artifacts into S3 themselves: name its artifact store, the "
            "ArtifactStoreUri that it was made with"
        )

    @rule("secret", "mlflow")
    def _needs_no_secret(self) -> str | None:
        if not self.secret or self.mlflow.startswith("https:"):
            return None
        return "is for an MLflow by its https URL: SageMaker's is called with the role's own rights"

    @rule("artifacts", "mlflow")
    def _has_an_mlflow(self) -> str | None:
        return "is of an MLflow: set experiments.mlflow too" if self.artifacts and not self.mlflow else None
