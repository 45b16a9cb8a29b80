"""How well the exported model counts, and its calibration."""
