"""Writes an API Gateway's routes from the app that serves them."""

__version__ = "0.1.0"
