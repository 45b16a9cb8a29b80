"""The dataset's report for people."""
