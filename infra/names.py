"""The names that rooms agree on (docs/contracts.md). One place, so that none can drift."""

from dataclasses import dataclass

VARIANT = "champion"
NO_MODEL = "none"
SERVING_REPOSITORY = "bincount-inference"


@dataclass(frozen=True)
class Names:
    """Every fixed name of one stage."""

    stage: str

    @property
    def prefix(self) -> str:
        return f"bincount-{self.stage}"

    def stack(self, part: str) -> str:
        return f"{self.prefix}-{part}"

    def parameter(self, what: str) -> str:
        return f"/bincount/{self.stage}/{what}"

    @property
    def endpoint(self) -> str:
        return self.prefix

    @property
    def model_package_group(self) -> str:
        return self.prefix

    @property
    def pipeline(self) -> str:
        return f"{self.prefix}-pipeline"

    @property
    def release(self) -> str:
        return f"{self.prefix}-release"

    @property
    def recount(self) -> str:
        return f"{self.prefix}-recount"
