"""Asking images: through the SageMaker endpoint or the HTTPS API, one or very many."""
