"""Training runs in an MLflow: SageMaker's managed one, any other server, or files on this machine."""
