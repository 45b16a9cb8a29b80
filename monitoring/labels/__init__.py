"""Recounts by people: checked, ordered, and stored as Ground Truth writes them (docs/labels.md)."""
