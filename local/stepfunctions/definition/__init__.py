"""What AWS refuses in a state machine's definition when it is created, updated or validated."""

from local.stepfunctions.definition.findings import Finding
from local.stepfunctions.definition.machine import findings_of, refusal

__all__ = ["Finding", "findings_of", "refusal"]
