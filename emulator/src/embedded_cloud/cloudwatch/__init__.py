"""CloudWatch as AWS has it: alarms over time, metric math, metrics out of log lines."""
