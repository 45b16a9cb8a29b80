"""Training runs in an MLflow tracking server: SageMaker's managed one, or any other."""
