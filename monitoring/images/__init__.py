"""Images of answers: of what SageMaker captured, those that are worth a person's look (docs/labels.md)."""
