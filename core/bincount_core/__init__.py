"""What data preparation, training, serving and the client must do alike, once (docs/contracts.md)."""
