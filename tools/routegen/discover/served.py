"""What one entry of an app's route table serves: data only."""

from dataclasses import dataclass


class UnknownKindError(Exception):
    """A route table holds something that no adapter knows; the text says what and where."""


@dataclass(frozen=True)
class Served:
    """One path that an app serves.

    Attributes:
        path: in Starlette's notation, with the prefixes of its mounts.
        methods: in capitals, sorted; None where the app takes every method.
        handlers: qualified names of what answers, from the outermost wrapper to the endpoint itself.
        subtree: the app owns all below `path` too, because what is mounted there can't be walked.
    """

    path: str
    methods: tuple[str, ...] | None
    handlers: tuple[str, ...]
    subtree: bool = False
