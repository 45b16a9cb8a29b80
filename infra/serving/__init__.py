"""The Serving stack: image, endpoint, alarms, release."""
