"""The command line `bincount`."""
