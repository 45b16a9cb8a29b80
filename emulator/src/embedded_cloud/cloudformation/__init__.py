"""CloudFormation resource types that ministack does not have, and a check that it is too lenient about."""
