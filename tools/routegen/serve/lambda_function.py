"""The Lambda function of each app in a manifest, and its environment variables."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from routegen.config import AppConfig, Config, inherited_environment
from routegen.errors import ConfigError
from routegen.manifest import Manifest
from routegen.serve.proxy_event import ACCOUNT_ID

REGION = "us-east-1"
MEMORY_MB = 1024


@dataclass(frozen=True)
class LambdaFunction:
    """One app as a Lambda function.

    Attributes:
        name: the app's name.
        handler: the handler, `module.function`.
        directory: the directory that the handler is imported from, and its working directory.
        env: the environment variables that the configuration sets.
    """

    name: str
    handler: str
    directory: Path
    env: Mapping[str, str]

    @property
    def arn(self) -> str:
        """An Amazon Resource Name, with the account and the region of AWS's examples."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{self.name}"


def lambda_functions(manifest: Manifest, config: Config) -> dict[str, LambdaFunction]:
    """The function of each app in a manifest that is no `upstream`, by the app's name.

    Raises:
        ConfigError: the configuration of an app is missing or cannot be run; the text names the app.
    """
    configured = {app.name: app for app in (*config.apps, config.default_app) if app is not None}
    upstream_names = {name for name, app in configured.items() if app.upstream}
    names = [name for name in manifest.app_names if name not in upstream_names]
    return {name: _lambda_function(name, configured.get(name)) for name in names}


def _lambda_function(name: str, app: AppConfig | None) -> LambdaFunction:
    table = f"[tool.routegen.apps.{name}]"
    if app is None:
        raise ConfigError(f"{table} is missing: the manifest routes requests to {name!r}; add the table to run the app")
    if app.handler is None:
        raise ConfigError(f"{table}: handler is missing; add the Lambda handler, for example handler = 'main.handler'")
    module, dot, function = app.handler.rpartition(".")
    if not dot or not module or not function:
        raise ConfigError(f"{table}: handler: {app.handler!r} is not of the form 'module.function'")
    directory = (app.root / (app.path or _directory_of_app(app))).resolve()
    if not directory.is_dir():
        raise ConfigError(f"{table}: path: there is no directory {app.path or directory}")
    return LambdaFunction(name, app.handler, directory, app.env)


def _directory_of_app(app: AppConfig) -> str:
    """The directory of an app that has no `path`: that of the app's file, or the project's."""
    file = app.target.rpartition(":")[0] or app.target
    return str(Path(file).parent) if file.endswith(".py") else "."


def lambda_environment(function: LambdaFunction, runtime_api: str, home: Path, number: int) -> dict[str, str]:
    """The environment variables of an instance.

    Source: "Using Lambda environment variables" (AWS, configuration-envvars).

    Args:
        function: the function; variables of its configuration replace the others.
        runtime_api: `host:port` of the Lambda Runtime API.
        home: a directory that the function can write to.
        number: number of this instance of the function.
    """
    reserved = {
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
        # Bytecode files record the source's time in whole seconds, so they could hide an edit within the same second.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return {**inherited_environment(), **reserved, **function.env}
