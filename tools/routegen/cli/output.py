"""Writing data to stdout, whole or with an error."""

import sys
from collections.abc import Iterable
from typing import Any

import click

from routegen.cli.failures import colours, forget_stdout
from routegen.errors import OutputError


def emit(data: bytes | str) -> None:
    """Write to stdout and make sure that it has arrived.

    Raises:
        OutputError: it can't be written, e.g. the disk is full.
        BrokenPipeError: nobody reads any more.
    """
    try:
        sys.stdout.buffer.write(data.encode() if isinstance(data, str) else data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        forget_stdout()
        raise OutputError(f"stdout: can't be written: {error.strerror or error}") from None


def emit_json(document: Any) -> None:
    """Write a JSON document to stdout, two-space indent; raises as `emit`."""
    import json  # noqa: PLC0415 - `routegen --help` does without

    emit(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def warn(texts: Iterable[str]) -> None:
    """One line each on stderr."""
    label = click.style("warning:", fg="yellow", bold=True) if colours(sys.stderr.isatty()) else "warning:"
    for text in texts:
        click.echo(f"routegen: {label} {text}", err=True)
