"""From errors to one line on stderr and an exit code: the one table of exit codes."""

import os
import sys
from collections.abc import Sequence

import click

from routegen.errors import (
    ConfigError,
    LoadError,
    ManifestError,
    OutputError,
    RoutegenError,
    UnsupportedRouteError,
)

FOUND = 1
"""A command that looks for differences has found some; nothing else ends with it."""

USAGE = 2
BUG = 70
INTERRUPTED = 130
"""Ctrl-C, as shells report it: 128 and the signal's number."""

EXIT_CODES: dict[type[RoutegenError], int] = {
    ConfigError: USAGE,
    OutputError: USAGE,
    LoadError: 3,
    ManifestError: 4,
    UnsupportedRouteError: 5,
}

_REPORT = "https://github.com/routegen/routegen/issues"


class State:
    """What the options of a run say to whoever reports its failure."""

    def __init__(self) -> None:
        self.debug = False


def run(command: click.Command, state: State, arguments: Sequence[str] | None = None) -> int:
    """Run a click command and return the exit code; every failure has become one line on stderr."""
    try:
        code = command.main(arguments, prog_name="routegen", standalone_mode=False, obj=state)
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return USAGE
    except RoutegenError as error:
        return _report(error, state)
    except BrokenPipeError:
        # Whoever read us has seen enough (`routegen list | head`).
        forget_stdout()
        return 0
    except Exception as error:  # noqa: BLE001 - the last one: a bug gets a line and an exit code of its own
        return _report_bug(error, state)
    return code if isinstance(code, int) else 0


def forget_stdout() -> None:
    """Let what is still buffered go nowhere: Python would try to write it at exit, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(error: RoutegenError, state: State) -> int:
    if state.debug and isinstance(error, LoadError) and error.details:
        click.echo(error.details.rstrip(), err=True)
    elif state.debug:
        _print_traceback(error)
    say_error(str(error))
    return next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))


def _report_bug(error: Exception, state: State) -> int:
    if state.debug:
        _print_traceback(error)
    text = " ".join(str(error).split())
    more = "" if state.debug else "; --debug shows where"
    say_error(f"a bug in routegen: {type(error).__name__}: {text}{more}. Please report it: {_REPORT}")
    return BUG


def _print_traceback(error: Exception) -> None:
    import traceback  # noqa: PLC0415 - only now: it is slow to import

    traceback.print_exception(error)


def say_error(text: str) -> None:
    """One line on stderr, with control characters made visible."""
    printable = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    label = click.style("error:", fg="red", bold=True) if colours(sys.stderr.isatty()) else "error:"
    click.echo(f"routegen: {label} {printable}", err=True)


def colours(is_terminal: bool) -> bool:
    """Whether to colour: a terminal, and no NO_COLOR (no-color.org)."""
    return is_terminal and not os.environ.get("NO_COLOR")
