"""Packages of code for Lambda functions and jobs."""
