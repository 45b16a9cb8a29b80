"""What ministack's Lambda lacks: AWS's names of errors, and metrics of every invocation."""
