"""The HTTP server: admission, headers, bodies, error responses, log lines."""
