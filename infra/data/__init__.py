"""The Data stack: bucket, key, network, parameters, and the function that prepares data."""
