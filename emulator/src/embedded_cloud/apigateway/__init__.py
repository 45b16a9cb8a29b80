"""What API Gateway does around and in an integration with the SageMaker runtime."""
