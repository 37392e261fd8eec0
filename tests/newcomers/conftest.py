"""The repositories have apps of several frameworks, so their processes are forked."""

from helpers.forked_apps import forked_apps

__all__ = ["forked_apps"]
