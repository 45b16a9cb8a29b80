"""EventBridge's delivery to targets: what fails is tried again, or ends in the target's dead-letter queue."""
