"""CloudFormation resource types that ministack lacks, and a check that it is too lenient about."""
