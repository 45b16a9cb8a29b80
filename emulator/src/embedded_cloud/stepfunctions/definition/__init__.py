"""What AWS refuses in a state machine's definition when it is created, updated or validated."""

from embedded_cloud.stepfunctions.definition.findings import Finding
from embedded_cloud.stepfunctions.definition.machine import findings_of, invalid_definition

__all__ = ["Finding", "findings_of", "invalid_definition"]
