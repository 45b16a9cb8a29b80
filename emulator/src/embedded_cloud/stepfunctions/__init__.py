"""Step Functions integrations and limits that ministack does not have."""
