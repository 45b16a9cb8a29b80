"""Step Functions integrations and limits that ministack lacks."""
