"""API Gateway's AWS integration with the SageMaker runtime."""
