"""The errors that routegen raises on purpose, each with its exit code and one line of text.

`str(error)` is the line that a person reads: what happened, where, and what to do. Only `cli` prints it.
"""

from collections.abc import Mapping
from typing import ClassVar

SHOWN_CHARACTERS = 50
"""How much of one value a message repeats: a message with four values repeats at most 200 characters of the input."""


def shorten(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """Return a text of an input for a message: its first characters, and `...` where the rest is left out."""
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


class RoutegenError(Exception):
    """The base class of every error that routegen raises on purpose.

    Attributes:
        exit_code: the exit code of a command that ends with this error.
    """

    exit_code: ClassVar[int] = 2


class ConfigError(RoutegenError):
    """The configuration or the command line is wrong; the text names the key or the option."""


class NoProjectError(ConfigError):
    """Neither the folder nor a folder above it has a pyproject.toml with `[tool.routegen]`."""


class OutputError(RoutegenError):
    """The output cannot be written; a file that was there before is unchanged."""


class LoadError(RoutegenError):
    """An app cannot be loaded: its file, attribute or import fails, or the import takes too long.

    Attributes:
        details: the app's own traceback, or an empty string.
        variables: the environment variables that have no value, or a wrong one, each with a value of the right form,
            which is empty if only the name is known.
        missing_module: the module that is not found, or an empty string.
    """

    exit_code = 3

    def __init__(
        self, message: str, details: str = "", variables: Mapping[str, str] | None = None, missing_module: str = ""
    ) -> None:
        super().__init__(message)
        self.details = details
        self.variables = variables or {}
        self.missing_module = missing_module


class ManifestError(RoutegenError):
    """A manifest is missing, unreadable or invalid; the text names the entry and the reason."""

    exit_code = 4


class UnsupportedRouteError(RoutegenError):
    """An app serves something that the gateway cannot express, and the policy is to refuse it."""

    exit_code = 5
