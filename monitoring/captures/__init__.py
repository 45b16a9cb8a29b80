"""What SageMaker captured of the endpoint: its lines and files, read in one way by all that look at them."""
