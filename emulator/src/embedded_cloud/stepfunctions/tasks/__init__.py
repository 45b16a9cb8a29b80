"""Tasks of state machines: Lambda, SageMaker, any operation of the AWS SDK."""
