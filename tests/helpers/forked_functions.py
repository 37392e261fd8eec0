"""Lambda functions in forked processes, in which the slow imports of both apps are done already.

A stack starts both functions, and their imports would take more CPU time than most of its tests. Only the functions of
a configuration from `with_forked_functions` are forked; all others are new interpreters, as users have them.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any

from helpers.forked import MCP_IMPORTS, WIKI_IMPORTS, ForkedPopen, import_before_fork, run_apart, start, without_tests
from routegen.config import Config, with_env
from routegen.serve import lambda_instance

_VARIABLE = "FORKED_BY_THE_TESTS"

import_before_fork(*WIKI_IMPORTS, *MCP_IMPORTS)


def with_forked_functions(config: Config) -> Config:
    """Let the functions of each app of a configuration run in forked processes."""
    for app in (*config.apps, config.default_app):
        if app is not None:
            config = with_env(config, app.name, {_VARIABLE: "1"})
    return config


def _start_function(command: Sequence[str], **options: Any) -> Any:
    """Stand for the `subprocess.Popen` of `routegen.serve.lambda_instance`."""
    if _VARIABLE not in options["env"]:
        return subprocess.Popen(command, **options)
    reading, writing = os.pipe()
    with Connection(writing, readable=False) as output:
        process = start(_run_function, command[1:], str(options["cwd"]), dict(options["env"]), output)
    return ForkedPopen(process, stdout=os.fdopen(reading, "rb", buffering=0))


def _run_function(arguments: Sequence[str], directory: str, environment: Mapping[str, str], output: Connection) -> None:
    run_apart(directory, environment, output)
    output.close()
    option, code, *rest = arguments
    sys.dont_write_bytecode = True
    sys.path[:] = ["", *without_tests(sys.path)]
    sys.argv[:] = [option, *rest]
    exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})


vars(lambda_instance)["subprocess"] = SimpleNamespace(**{**vars(subprocess), "Popen": _start_function})
