"""What an account is given by AWS: quotas, offers of instance types, AWS's own images."""
