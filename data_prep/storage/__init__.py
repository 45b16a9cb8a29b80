"""Where files live: S3 or a folder."""
