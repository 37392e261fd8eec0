"""The command line: the only room that knows click, colours and exit codes.

Imports click and nothing heavier until a command runs (`routegen --help` imports no framework). Data goes to
stdout, everything else to stderr.
"""

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from routegen import __version__
from routegen.cli.audit import audit
from routegen.cli.check import check
from routegen.cli.diff import diff
from routegen.cli.explain import explain
from routegen.cli.extract import extract
from routegen.cli.failures import State, run
from routegen.cli.list import list_
from routegen.cli.options import debug_option
from routegen.cli.prove import prove
from routegen.cli.render import render
from routegen.cli.schema import schema
from routegen.cli.serve import serve
from routegen.cli.verify import verify

_EPILOG = """\b
Examples:
  routegen extract -o generated/routes.json   write what the app serves
  routegen check                              has the app drifted from it?
  routegen list                               show it
  routegen prove                              does the gateway send the app what it serves?
  routegen serve                              run it on this machine
  routegen verify https://dev.wikibot.io      is it right out there?
  routegen audit --api-name wikibot-dev       does AWS have what the manifest says?
  routegen render nginx                       the same gateway for another tool

\b
Exit codes: 0 done, 1 a difference was found, 2 wrong usage or configuration,
3 the app could not be loaded, 4 the manifest is invalid, 5 a route can't be
carried by the gateway, 70 a bug in routegen.
"""


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="routegen")
@debug_option
def routegen() -> None:
    """Write an API Gateway's routes from the app that serves them."""


for _command in (extract, check, diff, list_, explain, prove, render, schema, serve, verify, audit):
    routegen.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The entry point: runs the command and ends with the contract's exit code.

    Args:
        arguments: those of the command line if it is None.
    """
    sys.exit(run(routegen, State(), arguments))
