"""Writing data to stdout: all of it, or an error."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from routegen.cli.failures import colours, forget_stdout
from routegen.errors import OutputError
from routegen.manifest import replace_file


def emit(data: bytes | str) -> None:
    """Write to stdout and flush it.

    Raises:
        OutputError: stdout cannot be written, for example because the disk is full.
        BrokenPipeError: the reader has closed the pipe.
    """
    try:
        sys.stdout.buffer.write(data.encode() if isinstance(data, str) else data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        forget_stdout()
        raise OutputError(f"stdout: cannot be written: {error.strerror or error}") from None


def write_output(data: bytes | str, output: Path | None, description: str) -> None:
    """Write to stdout, or replace a file whole and describe its content on stderr.

    Raises:
        OutputError: the output cannot be written; a file that was there before is unchanged.
    """
    if output is None:
        emit(data)
        return
    replace_file(output, data.encode() if isinstance(data, str) else data)
    click.echo(f"wrote {output}: {description}", err=True)


def emit_json(document: Any) -> None:
    """Write a JSON document to stdout with a two-space indent; it raises the errors of `emit`."""
    emit(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def show_progress(text: str) -> None:
    """Print a line on stderr before something that can take long, if a person waits for it."""
    if sys.stderr.isatty():
        click.echo(text, err=True)


def warn(texts: Iterable[str]) -> None:
    """Print one warning line on stderr for each text."""
    label = click.style("warning:", fg="yellow", bold=True) if colours(sys.stderr.isatty()) else "warning:"
    for text in texts:
        click.echo(f"routegen: {label} {text}", err=True)
