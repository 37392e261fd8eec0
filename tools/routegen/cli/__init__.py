"""The command line: the only room that knows click, colours and exit codes.

`COMMANDS` is the one place that imports lazily: a command's module, with everything that it needs, is imported when the
command runs, so `routegen --help` imports click and little else. Data goes to stdout, everything else to stderr.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import NoReturn

import click

from routegen import __version__
from routegen.cli.failures import DEBUG_OPTION, State, run
from routegen.errors import ConfigError


@dataclass(frozen=True)
class LazyCommand:
    """A command, before its module is imported.

    Attributes:
        name: the command's name.
        module: the module in routegen.cli that has it as `command`.
        summary: its line in `routegen --help`.
        extra: the extra of the package that it needs, if any.
        packages: the packages of that extra.
    """

    name: str
    module: str
    summary: str
    extra: str = ""
    packages: tuple[str, ...] = ()

    def load(self) -> click.Command:
        """Import the command, or make a stand-in that says which package is missing."""
        missing = next((package for package in self.packages if find_spec(package) is None), None)
        command: click.Command = (
            _command_without(missing, self) if missing else import_module(f"routegen.cli.{self.module}").command
        )
        if DEBUG_OPTION not in command.params:
            command.params.append(DEBUG_OPTION)
        return command


COMMANDS = (
    LazyCommand("init", "init", "Find the app of a repository and write its first configuration."),
    LazyCommand("extract", "extract", "Import the apps and write their manifest."),
    LazyCommand("check", "check", "Extract again and compare with the manifest."),
    LazyCommand("diff", "diff", "Compare two manifests."),
    LazyCommand("list", "list", "Show the manifest's routes as a table."),
    LazyCommand("explain", "explain", "Say which route key takes a request, and why."),
    LazyCommand("prove", "prove", "Show that the manifest sends each app exactly what it serves."),
    LazyCommand(
        "serve", "serve", "Run the gateway on this machine, with the real handlers.", "serve", ("awslambdaric",)
    ),
    LazyCommand("verify", "verify", "Check a running deployment as its clients do."),
    LazyCommand("audit", "audit", "Compare a deployed HTTP API with the manifest.", "aws", ("boto3",)),
    LazyCommand("adopt", "adopt", "Move an API that exists under the manifest.", "aws", ("boto3",)),
    LazyCommand("render", "render", "Write the same gateway for another tool."),
    LazyCommand("schema", "schema", "Write the manifest's JSON Schema."),
)


def _command_without(package: str, lazy: LazyCommand) -> click.Command:
    install = f"pip install {' '.join(lazy.packages)}"
    advice = f"routegen {lazy.name} needs {package}, which the extra `{lazy.extra}` has: {install}"

    @click.command(lazy.name, help=f"{lazy.summary}\n\n{advice}", context_settings={"ignore_unknown_options": True})
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(arguments: tuple[str, ...]) -> None:  # noqa: ARG001 - they belong to the missing command
        raise ConfigError(advice)

    return command


_EPILOG = """\b
Examples:
  routegen init                               write a first configuration
  routegen extract --write                    write the routes that the apps serve
  routegen check                              fail if apps and manifest differ
  routegen list                               show the routes
  routegen prove                              compare the manifest with requests to the apps
  routegen serve                              run the gateway on this machine
  routegen verify https://dev.wikibot.io      check a deployment
  routegen audit --api-name wikibot-dev       compare AWS with the manifest
  routegen render nginx                       write the gateway for nginx

\b
Exit codes:
  0   done, and no finding at or above --fail-on
  1   a finding at or above --fail-on
  2   wrong usage or configuration, or the output cannot be written
  3   an app cannot be loaded
  4   a manifest is missing, unreadable or invalid
  5   an app serves something that the gateway cannot express
  70  a bug in routegen
"""


class _LazyGroup(click.Group):
    """A group that imports a command's module only when that command is used."""

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        names = self.list_commands(context)
        if arguments[0] not in names:
            nearest = get_close_matches(arguments[0], names, n=1, cutoff=0.0)[0]
            raise ConfigError(
                f"{arguments[0]}: there is no such command; the nearest is `routegen {nearest}`, "
                "and `routegen --help` lists all"
            )
        return super().resolve_command(context, arguments)

    def list_commands(self, _context: click.Context) -> list[str]:
        return [command.name for command in COMMANDS]

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        return next((command.load() for command in COMMANDS if command.name == name), None)

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(command.name, command.summary) for command in COMMANDS])


@click.group(
    cls=_LazyGroup,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=False,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
)
@click.version_option(__version__, prog_name="routegen")
@click.pass_context
def routegen(context: click.Context) -> int:
    """Write an API Gateway's routes from the apps that serve them, and keep both from drifting apart."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
    return ConfigError.exit_code


routegen.params.append(DEBUG_OPTION)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end with the exit code of the contract.

    Args:
        arguments: the arguments after the program's name; None for those of the process.
    """
    sys.exit(run(routegen, State(), arguments))
