"""What the emulated services refuse before they act, as AWS does, before ministack sees the request."""
