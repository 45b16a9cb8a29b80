"""The API stack: what services call over HTTPS."""
