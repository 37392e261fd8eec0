"""Settings of the stack: the configuration, the manifest and the packages, checked before anything is built."""

import re
from pathlib import Path
from typing import Any, Literal

import pulumi
from pulumi.runtime.config import get_config
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from routegen.manifest import Manifest, ManifestError, read_manifest

ROOT = Path(__file__).resolve().parent.parent
ROUTED_APP, DEFAULT_APP = "mcp", "otterwiki"
"""The apps that this program builds functions for. Routes lead to the first; the second is behind `$default`."""

# The days that CloudWatch Logs accepts (PutRetentionPolicy).
_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
_SECRETS = ("admin_password_hash", "reader_token")
_HOST = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"


def _number(default: int | None, minimum: int, maximum: int, unit: str) -> Any:  # Any, as pydantic's Field
    return Field(default, ge=minimum, le=maximum, description=f"a number of {unit} from {minimum} to {maximum}")


class StackSettings(BaseModel):
    """The keys of `Pulumi.<stack>.yaml`, and the name of the stack.

    A field's description completes the error message "VALUE is not ...".

    Attributes:
        name: project and stack; the first part of each name in AWS.
    """

    model_config = ConfigDict(frozen=True)

    # ECR allows only small letters. A role's name has at most 64 characters; the longest suffix is `-wiki`.
    name: str = Field(
        pattern=r"^[a-z0-9]+(?:[_-][a-z0-9]+)*$",
        max_length=59,
        description="a name that all AWS resources can have: small letters, digits, and single hyphens or underscores "
        "between them, at most 59 characters",
    )
    # The MCP server checks AUTHKIT_DOMAIN and WORKOS_CLIENT_ID again when it starts; here a mistake stops `up`.
    authkit_domain: str = Field(
        pattern=rf"^(?:https://)?{_HOST}/?$",
        description="a domain without a path, such as https://your-app.authkit.app",
    )
    client_id: str = Field(pattern=r"^client_[A-Za-z0-9_]+$", description="a WorkOS client id, such as client_01ABCDEF")
    domain: str = Field(pattern=f"^{_HOST}$", description="a host name, such as dev.wikibot.io")
    hosted_zone: str = Field(pattern=f"^{_HOST}$", description="a host name, such as wikibot.io")
    manifest: str = Field("../generated/routes.json", pattern=r"\S", description="a path relative to infra/")
    runtime: Literal["python3.12", "python3.13", "python3.14"] = Field(
        "python3.13", description="python3.12, python3.13 or python3.14"
    )
    architecture: Literal["x86_64", "arm64"] = Field("x86_64", description="x86_64 or arm64")
    site_name: str = Field("An Otter Wiki", pattern=r"\S", description="a name that people can read")
    read_access: Literal["ANONYMOUS", "REGISTERED", "APPROVED"] = Field(description="ANONYMOUS, REGISTERED or APPROVED")
    admin_email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", description="an e-mail address, such as admin@example.com")
    admin_password_hash: str = Field(
        repr=False,
        pattern=r"^(scrypt|pbkdf2)(:\w+)+\$[^$]+\$[0-9a-f]{32,}$",
        description="a hash of werkzeug.security.generate_password_hash",
    )
    reader_token: str | None = Field(
        None,
        repr=False,
        pattern=r"^[A-Za-z0-9_-]{32,}$",
        description="a random text of at least 32 letters and digits, such as openssl rand -hex 32 prints",
    )
    # Lambda gives a function one CPU at 1,769 MB; with less, the import would take longer than its limit of 10 s.
    mcp_memory: int = _number(1769, 128, 10240, "MB")
    wiki_memory: int = _number(1024, 256, 10240, "MB")
    mcp_concurrency: int | None = _number(None, 1, 10000, "instances")
    wiki_concurrency: int | None = _number(None, 1, 10000, "instances")
    snap_start: bool = Field(True, description="true or false")
    mcp_version: int | None = Field(None, ge=1, description="the number of a published version")
    wiki_version: int | None = Field(None, ge=1, description="the number of a published version")
    file_system_id: str | None = Field(
        None, pattern=r"^fs-[0-9a-f]{8,40}$", description="the id of an EFS file system, such as fs-0123456789abcdef0"
    )
    availability_zones: str | None = Field(
        None,
        pattern=r"^[a-z0-9-]+,[a-z0-9-]+$",
        description="two different availability zones, such as eu-central-1a,eu-central-1b",
    )
    log_retention_days: int = Field(
        30, description=f"a number of days that CloudWatch Logs accepts: {', '.join(map(str, _RETENTION_DAYS))}"
    )
    throttling_rate: int = _number(50, 1, 10000, "requests per second")
    throttling_burst: int = _number(100, 1, 5000, "requests")

    @field_validator("log_retention_days")
    @classmethod
    def _check_retention(cls, days: int) -> int:
        if days not in _RETENTION_DAYS:
            raise ValueError("CloudWatch Logs does not accept it")
        return days

    @field_validator("availability_zones")
    @classmethod
    def _check_zones(cls, zones: str | None) -> str | None:
        if zones is not None and len({*zones.split(",")}) == 1:
            raise ValueError("EFS allows one mount target in each zone")
        return zones

    @model_validator(mode="after")
    def _check_hosted_zone(self) -> "StackSettings":
        if self.domain != self.hosted_zone and not self.domain.endswith(f".{self.hosted_zone}"):
            raise ValueError(f"{self.domain} is not inside the hosted_zone {self.hosted_zone}")
        return self

    @model_validator(mode="after")
    def _check_reader_token(self) -> "StackSettings":
        if self.read_access != "ANONYMOUS" and self.reader_token is None:
            raise PydanticCustomError("reader_token", "the MCP server needs it to read a wiki that is not public")
        return self

    @property
    def url(self) -> str:
        """The URL of both apps, without a slash at the end."""
        return f"https://{self.domain}"


class LambdaPackage(BaseModel):
    """`lambda.json` of a package: what `app/package.sh` built the package for."""

    runtime: str
    architecture: str
    handler: str = Field(min_length=1)


def load_settings() -> StackSettings:
    """Read and validate the configuration of the selected stack.

    Raises:
        pulumi.RunError: a value is missing or wrong. The error is one line, which `pulumi up` prints without a
            traceback.
    """
    config = pulumi.Config()
    values = {key: get_config(config.full_key(key)) for key in StackSettings.model_fields if key != "name"}
    configured = {key: value for key, value in values.items() if value is not None}
    try:
        return StackSettings.model_validate({**configured, "name": f"{pulumi.get_project()}-{pulumi.get_stack()}"})
    except ValidationError as error:
        problems = [_describe(detail, config) for detail in error.errors()]
        raise pulumi.RunError("; ".join(problems)) from None


def _describe(detail: ErrorDetails, config: pulumi.Config) -> str:
    if detail["type"] == "reader_token":
        return f"{config.full_key('reader_token')} is not set; {detail['msg']} ({_secret_command('reader_token')})"
    if not detail["loc"]:  # from _check_hosted_zone, which compares two keys
        message = detail["msg"].removeprefix("Value error, ")
        return f"{config.full_key('domain')}: {message} (run: pulumi config set domain VALUE)"
    key = str(detail["loc"][0])
    description = StackSettings.model_fields[key].description
    if key == "name":
        return f"the stack's name: {detail['input']} is not {description} (run: pulumi stack rename NAME)"
    command = _secret_command(key) if key in _SECRETS else f"run: pulumi config set {key} VALUE"
    if detail["type"] == "missing":
        return f"{config.full_key(key)} is not set; it must be {description} ({command})"
    value = "the value" if key in _SECRETS else repr(detail["input"])
    return f"{config.full_key(key)}: {value} is not {description} ({command})"


def _secret_command(key: str) -> str:
    return f"docs/infra.md has the command: pulumi config set --secret {key}"


def load_manifest(settings: StackSettings) -> Manifest:
    """Read the manifest, and check that this program has a function for each app in it.

    Raises:
        pulumi.RunError: the manifest is missing or invalid, or names another app.
    """
    path = ROOT / "infra" / settings.manifest
    try:
        manifest = read_manifest(path)
    except ManifestError as error:
        raise pulumi.RunError(f"the manifest: {error}") from None
    if manifest.default is None:
        raise pulumi.RunError(
            f"the manifest: {path}: it has no default app, and infra/ builds one; "
            f'write default = "{DEFAULT_APP}" in [tool.routegen], and run: make routes'
        )
    if manifest.default != DEFAULT_APP:
        raise pulumi.RunError(
            f"the manifest: {path}: infra/ has no function for the default app {manifest.default!r}; "
            f"it must be {DEFAULT_APP!r}"
        )
    for position, route in enumerate(manifest.routes):
        if route.app != ROUTED_APP:
            raise pulumi.RunError(
                f"the manifest: {path}: routes[{position}] ({route.path}): infra/ has no function for the app "
                f"{route.app!r}; it must be {ROUTED_APP!r}"
            )
    return manifest


def load_package(app: str, build_script: str, settings: StackSettings) -> LambdaPackage:
    """Read the `lambda.json` of a package, so that a wrong package stops `up` and not the first request.

    Raises:
        pulumi.RunError: the package is missing, unreadable, or built for another runtime or architecture.
    """
    command = f"run: PYTHON={settings.runtime} bash {build_script} --arch {settings.architecture}"
    try:
        package = LambdaPackage.model_validate_json((ROOT / "build" / app / "lambda.json").read_bytes())
    except FileNotFoundError:
        raise pulumi.RunError(f"build/{app}: there is no package; {command}") from None
    except OSError as error:
        raise pulumi.RunError(f"build/{app}/lambda.json: cannot be read: {error.strerror}; {command}") from None
    except ValidationError as error:
        detail = error.errors()[0]
        problem = ": ".join([*map(str, detail["loc"]), detail["msg"]])
        raise pulumi.RunError(f"build/{app}/lambda.json: {problem}; {command}") from None
    for actual, expected in ((package.runtime, settings.runtime), (package.architecture, settings.architecture)):
        if actual != expected:
            raise pulumi.RunError(f"build/{app}: built for {actual}, but the stack needs {expected}; {command}")
    return package


def check_base_image(settings: StackSettings) -> None:
    """Check that the wiki's Dockerfile names its base image with a digest, and for the Python of the stack.

    Raises:
        pulumi.RunError: it names another image, or an image that can change.
    """
    python_version = settings.runtime.removeprefix("python")
    file = ROOT / "app" / "otterwiki" / "Dockerfile"
    match = re.search(r"^ARG BASE_IMAGE=(\S+?)(@sha256:[0-9a-f]{64})?$", file.read_text(), re.MULTILINE)
    image, digest = match.groups() if match else ("", None)
    if digest is None or not image.endswith(f":{python_version}"):
        problem = "has no digest, so it can change" if image.endswith(f":{python_version}") else "is another one"
        raise pulumi.RunError(
            f"app/otterwiki/Dockerfile: the base image must be that of Python {python_version} with a digest, and "
            f"{image or 'ARG BASE_IMAGE'} {problem}; run: make pin-base-image PYTHON_VERSION={python_version}"
        )
