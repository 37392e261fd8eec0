"""From an error to one line on stderr and an exit code."""

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from routegen.errors import ConfigError, LoadError, RoutegenError
from routegen.report.printable import printable

FOUND = 1
"""The exit code for a finding at or above `--fail-on`, and for nothing else."""

BUG = 70
INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells report it: 128 and the number of the signal."""


_WITHOUT_QUOTES = str.maketrans("", "", "'[]")


class State:
    """The options that each command of a run shares.

    Attributes:
        debug: whether an error shows its traceback.
        project: the folder of --project; None for the working directory.
    """

    def __init__(self) -> None:
        self.debug = False
        self.project: Path | None = None


def _remember_debug(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        context.obj.debug = True


DEBUG_OPTION = click.Option(
    ["--debug"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_remember_debug,
    help="With an error, show the traceback too.",
)
"""The option of every command."""


def run(command: click.Command, state: State, arguments: Sequence[str] | None = None) -> int:
    """Run a click command and return its exit code; every failure becomes one line on stderr."""
    try:
        code = command.main(arguments, prog_name="routegen", standalone_mode=False, obj=state)
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        print_error(_usage_error(error, sys.argv[1:] if arguments is None else arguments))
        return ConfigError.exit_code
    except RoutegenError as error:
        return _report(error, state)
    except BrokenPipeError:
        # The reader of our output has seen enough (`routegen list | head`).
        forget_stdout()
        return 0
    except Exception as error:  # noqa: BLE001 - the last resort: a bug gets a line and an exit code
        return _report_bug(error, state)
    return code if isinstance(code, int) else 0


def _usage_error(error: click.ClickException, arguments: Sequence[str]) -> str:
    """The text of an error of click in our form: the subject, the reason, and the command that shows the usage."""
    context = getattr(error, "ctx", None)
    # click gives no context to an option without its argument.
    subject = command = context.command_path if context else " ".join(["routegen", *arguments[:1]])
    reason = error.message
    match error:
        case click.NoSuchOption():
            nearest = f"; the nearest is {error.possibilities[0]}" if error.possibilities else ""
            subject, reason = error.option_name, f"there is no such option{nearest}"
        case click.BadOptionUsage():
            subject, reason = error.option_name, reason.removeprefix(f"Option {error.option_name!r} ")
        case click.BadParameter() if error.param:
            subject = error.param.get_error_hint(context).translate(_WITHOUT_QUOTES)
            reason = "is missing" if isinstance(error, click.MissingParameter) else reason
    return f"{subject}: {reason[:1].lower()}{reason[1:].removesuffix('.')}; `{command} --help` shows the usage"


def forget_stdout() -> None:
    """Discard what is still buffered: Python would try to write it at exit, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(error: RoutegenError, state: State) -> int:
    if state.debug and isinstance(error, LoadError) and error.details:
        click.echo(error.details.rstrip(), err=True)
    elif state.debug:
        traceback.print_exception(error)
    print_error(str(error))
    return error.exit_code


def _report_bug(error: Exception, state: State) -> int:
    if state.debug:
        traceback.print_exception(error)
    text = " ".join(str(error).split())
    hint = "" if state.debug else "; --debug shows where"
    print_error(f"a bug in routegen: {type(error).__name__}: {text}{hint}. Please report it to routegen's maintainers")
    return BUG


def print_error(text: str) -> None:
    """Print one line on stderr, with control characters made visible."""
    label = click.style("error:", fg="red", bold=True) if colours(sys.stderr.isatty()) else "error:"
    click.echo(f"routegen: {label} {printable(text)}", err=True)


def colours(is_terminal: bool) -> bool:
    """Whether to colour: only for a terminal, and never with NO_COLOR (no-color.org)."""
    return is_terminal and not os.environ.get("NO_COLOR")
