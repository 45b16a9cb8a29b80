"""What the emulated services refuse at their door, as AWS does, before ministack sees the request."""
