"""Writes docs/cli.md from every command's --help; `make docs` runs it, a test checks that the file is current."""

from pathlib import Path

import click
from routegen.cli import routegen

FILE = Path(__file__).parents[2] / "docs" / "cli.md"
_HEAD = """\
# The commands

<!-- Written by dev/docs/cli_reference.py from each command's --help: `make docs`. -->
"""


def reference() -> str:
    """The whole page, Markdown."""
    # With its settings, so that each page is what a user sees.
    parent = click.Context(routegen, info_name="routegen", **routegen.context_settings)
    parts = [_HEAD, _section("routegen", routegen, None)]
    parts += [_section(f"routegen {name}", command, parent) for name, command in sorted(routegen.commands.items())]
    return "\n".join(parts)


def _section(title: str, command: click.Command, parent: click.Context | None) -> str:
    settings = {**routegen.context_settings, "terminal_width": 100}
    context = click.Context(command, info_name=title.rpartition(" ")[2], parent=parent, **settings)
    return f"## {title}\n\n```\n{command.get_help(context).rstrip()}\n```\n"


if __name__ == "__main__":
    FILE.write_text(reference())
