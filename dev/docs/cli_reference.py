"""Write docs/cli.md from the `--help` of each command; `make docs` runs this file, and a test checks the page."""

from pathlib import Path

import click
from routegen.cli import COMMANDS, routegen

FILE = Path(__file__).parents[2] / "docs" / "cli.md"
_INTRODUCTION = """\
# Commands

<!-- Written by dev/docs/cli_reference.py from each command's --help: `make docs`. -->
"""


def reference() -> str:
    """The whole page in Markdown."""
    # The group's settings belong to it, so that each section shows what a user sees.
    parent = click.Context(routegen, info_name="routegen", **routegen.context_settings)
    sections = [_INTRODUCTION, _section("routegen", routegen, None)]
    commands = sorted(COMMANDS, key=lambda command: command.name)
    sections += [_section(f"routegen {command.name}", command.load(), parent) for command in commands]
    return "\n".join(sections)


def _section(title: str, command: click.Command, parent: click.Context | None) -> str:
    settings = {**routegen.context_settings, "terminal_width": 100}
    context = click.Context(command, info_name=title.rpartition(" ")[2], parent=parent, **settings)
    return f"## {title}\n\n```\n{command.get_help(context).rstrip()}\n```\n"


if __name__ == "__main__":
    FILE.write_text(reference())
