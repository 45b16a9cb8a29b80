"""The SageMaker control plane and runtime: validation, records and what each operation does."""
