"""Which function runs for each app of a manifest, and what it finds in its environment."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from routegen.config import AppConfig, Config, inherited_environment
from routegen.errors import ConfigError
from routegen.manifest import Manifest
from routegen.serve.proxy_event import ACCOUNT

REGION = "us-east-1"
MEMORY_MB = 1024


@dataclass(frozen=True)
class Function:
    """One app as a Lambda function.

    Attributes:
        name: the app's.
        handler: `module.function`.
        directory: what the handler is imported from, and its working directory.
        env: the environment that the configuration gives it.
    """

    name: str
    handler: str
    directory: Path
    env: Mapping[str, str]

    @property
    def arn(self) -> str:
        """A name in AWS's form; the account and the region are those of its examples."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}"


def functions_of(manifest: Manifest, config: Config) -> dict[str, Function]:
    """The functions behind a manifest's apps, by the app's name.

    Raises:
        ConfigError: the configuration doesn't say how to run one of them; the text names it.
    """
    configured = {app.name: app for app in (*config.apps, config.default_app) if app is not None}
    names = dict.fromkeys([manifest.default, *(route.app for route in manifest.routes)])
    return {name: _function(name, configured.get(name)) for name in names}


def _function(name: str, app: AppConfig | None) -> Function:
    where = f"[tool.routegen.apps.{name}]"
    if app is None:
        raise ConfigError(
            f"{where} is missing: the manifest sends requests to {name!r}, and nothing says how to run it"
        )
    if app.handler is None:
        raise ConfigError(f"{where}: handler is missing; name the Lambda handler, e.g. handler = 'main.handler'")
    module, dot, function = app.handler.rpartition(".")
    if not dot or not module or not function:
        raise ConfigError(f"{where}: handler: {app.handler!r} is not of the form 'module.function'")
    directory = (app.root / (app.path or _beside(app))).resolve()
    if not directory.is_dir():
        raise ConfigError(f"{where}: path: there is no directory {app.path or directory}")
    return Function(name, app.handler, directory, app.env)


def _beside(app: AppConfig) -> str:
    """Without a `path`: the directory of the app's own file, else the project's."""
    file = app.target.rpartition(":")[0] or app.target
    return str(Path(file).parent) if file.endswith(".py") else "."


def environment(function: Function, runtime_api: str, home: Path, number: int) -> dict[str, str]:
    """What an instance finds in its environment.

    Source: "Using Lambda environment variables" (AWS, configuration-envvars).

    Args:
        function: the function; what its configuration says wins.
        runtime_api: `host:port` of the Lambda Runtime API.
        home: a directory that is the function's to write.
        number: which instance of the function this is.
    """
    of_lambda = {
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": str(function.directory),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[$LATEST]{number}",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        # A module's bytecode is dated to the second: without this, an edit within it could go unseen.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return {**inherited_environment(), **of_lambda, **function.env}
