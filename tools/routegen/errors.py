"""What can go wrong, as types: one base class, one line of text each.

Library code raises these and knows nothing of exit codes or colours; `cli/failures.py` gives each its exit
code. `str(error)` is the one line that a person reads: what happened, where, and what to do.
"""


class RoutegenError(Exception):
    """The base of every error that routegen raises on purpose."""


class ConfigError(RoutegenError):
    """The configuration or the command line asks for something that can't be."""


class OutputError(RoutegenError):
    """The result could not be written where it was asked for; what stood there is untouched."""


class LoadError(RoutegenError):
    """The app could not be brought in: file, attribute, import error, exit or time-out while importing.

    Attributes:
        details: the app's own traceback, or an empty string where there is none.
    """

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class ManifestError(RoutegenError):
    """A manifest is missing, unreadable or invalid; the text names the entry and the reason."""


class UnsupportedRouteError(RoutegenError):
    """The app serves something that the gateway can't carry."""
