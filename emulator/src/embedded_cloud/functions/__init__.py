"""What ministack's Lambda does not have: AWS's names of errors, and metrics of every invocation."""
