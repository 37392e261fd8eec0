"""What the stack is to be: `Pulumi.<stack>.yaml`, read once and checked before anything is built."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from routegen.manifest import Manifest, ManifestError, read_manifest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("mcp", "otterwiki")
"""The apps that this program has a function for: the one with routes, and the one behind `$default`."""

# What CloudWatch Logs takes (PutRetentionPolicy).
_RETENTION = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
# What the MCP server takes at its cold start; here it stops `up` instead.
_AUTHKIT = re.compile(rf"(?:https://)?{_HOST.pattern}/?")
_CLIENT_ID = re.compile(r"client_[A-Za-z0-9_]+")
# ECR takes small letters only, and a role's name has 64 characters at most; the longest suffix is `-wiki`.
_NAME = re.compile(r"(?=.{1,59}$)[a-z0-9]+(?:[_-][a-z0-9]+)*")
_RUNTIME = re.compile(r"python3\.1[2-4]")


@dataclass(frozen=True)
class StackSettings:
    """The stack's settings.

    Attributes:
        name: the prefix of everything that AWS wants a name for.
        mcp_handler: what the MCP server's package says its handler is.
        manifest: the validated manifest.
        log_retention_days, throttling_rate, throttling_burst: days, requests a second, requests at once.
        mcp_memory, wiki_memory: MB.
    """

    name: str
    authkit_domain: str
    client_id: str
    domain: str
    hosted_zone: str
    manifest: Manifest
    runtime: str
    architecture: str
    mcp_handler: str
    site_name: str
    read_access: str
    mcp_memory: int
    wiki_memory: int
    log_retention_days: int
    throttling_rate: int
    throttling_burst: int

    @property
    def url(self) -> str:
        """Where both apps are, without a trailing slash."""
        return f"https://{self.domain}"

    @property
    def python_version(self) -> str:
        """`3.13` for `python3.13`."""
        return self.runtime.removeprefix("python")


def load_settings() -> StackSettings:
    """Read the configuration, the manifest and what the packages say of themselves.

    Raises:
        pulumi.RunError: something is missing or wrong. It is one line, which `pulumi up` prints without a traceback,
            and no resource is registered by then.
    """
    read = _Reader(pulumi.Config())
    domain = read.matching("domain", _HOST, "a host name such as dev.wikibot.io")
    hosted_zone = read.matching("hosted_zone", _HOST, "a host name such as wikibot.io")
    if domain != hosted_zone and not domain.endswith(f".{hosted_zone}"):
        raise pulumi.RunError(f"{read.name('domain')}: {domain} does not lie in hosted_zone {hosted_zone}")
    runtime = read.matching("runtime", _RUNTIME, "python3.12, python3.13 or python3.14", "python3.13")
    architecture = read.one_of("architecture", ("x86_64", "arm64"), "x86_64")
    settings = StackSettings(
        name=_name(),
        authkit_domain=read.matching(
            "authkit_domain", _AUTHKIT, "a domain without a path, such as https://your-app.authkit.app"
        ),
        client_id=read.matching("client_id", _CLIENT_ID, "a WorkOS client id, such as client_01ABCDEF"),
        domain=domain,
        hosted_zone=hosted_zone,
        manifest=_manifest(ROOT / "infra" / read.text("manifest", "../generated/routes.json")),
        runtime=runtime,
        architecture=architecture,
        mcp_handler=_handler("mcp", "app/poc/mcp_package/build.sh", runtime, architecture),
        site_name=read.text("site_name", "An Otter Wiki"),
        read_access=read.one_of("read_access", ("ANONYMOUS", "REGISTERED", "APPROVED"), "ANONYMOUS"),
        mcp_memory=read.number("mcp_memory", 512, 128, 10240),
        wiki_memory=read.number("wiki_memory", 1024, 256, 10240),
        log_retention_days=read.number("log_retention_days", 30, 1, 3653),
        throttling_rate=read.number("throttling_rate", 50, 1, 10000),
        throttling_burst=read.number("throttling_burst", 100, 1, 5000),
    )
    if settings.log_retention_days not in _RETENTION:
        raise pulumi.RunError(
            f"{read.name('log_retention_days')}: CloudWatch keeps logs for one of "
            f"{', '.join(map(str, _RETENTION))} days, not {settings.log_retention_days}"
        )
    _handler("otterwiki", "app/otterwiki/build.sh", runtime, architecture)  # its Dockerfile names it
    return settings


class _Reader:
    """Pulumi's configuration, with errors that name the key and how to set it."""

    def __init__(self, config: pulumi.Config) -> None:
        self._config = config

    def name(self, key: str) -> str:
        return self._config.full_key(key)

    def text(self, key: str, default: str | None = None) -> str:
        value = self._config.get(key)
        if value is None:
            value = default
        if value is None:
            raise pulumi.RunError(f"{self.name(key)} is not set; pulumi config set {key} VALUE")
        if not value.strip():
            raise pulumi.RunError(f"{self.name(key)}: is empty")
        return value

    def matching(self, key: str, pattern: re.Pattern[str], what: str, default: str | None = None) -> str:
        value = self.text(key, default)
        if not pattern.fullmatch(value):
            raise pulumi.RunError(f"{self.name(key)}: {value!r} is not {what}")
        return value

    def one_of(self, key: str, values: tuple[str, ...], default: str) -> str:
        value = self.text(key, default)
        if value not in values:
            raise pulumi.RunError(f"{self.name(key)}: {value!r} is not one of {', '.join(values)}")
        return value

    def number(self, key: str, default: int, least: int, most: int) -> int:
        value = self.text(key, str(default))
        # Python refuses to read a number of thousands of digits.
        if not (re.fullmatch(r"[0-9]{1,9}", value) and least <= int(value) <= most):
            raise pulumi.RunError(f"{self.name(key)}: {value!r} is not a number from {least} to {most}")
        return int(value)


def _name() -> str:
    name = f"{pulumi.get_project()}-{pulumi.get_stack()}"
    if not _NAME.fullmatch(name):
        raise pulumi.RunError(
            f"the stack's name: {name} (project and stack) can't name AWS resources: small letters, digits, and single "
            "hyphens or underscores between them, 59 characters at most; pulumi stack rename NAME"
        )
    return name


def _manifest(path: Path) -> Manifest:
    try:
        manifest = read_manifest(path)
    except ManifestError as error:
        raise pulumi.RunError(f"the manifest: {error}") from None
    routed, default = APPS
    if manifest.default != default:
        raise pulumi.RunError(f"the manifest: {path}: no function for the default app {manifest.default!r}")
    for position, route in enumerate(manifest.routes):
        if route.app != routed:
            raise pulumi.RunError(
                f"the manifest: {path}: routes[{position}] ({route.path}): no function for the app {route.app!r}"
            )
    return manifest


def _handler(app: str, script: str, runtime: str, architecture: str) -> str:
    """The handler of a package; one that is missing or was built for something else must stop `up`, not a request."""
    file = ROOT / "build" / app / "lambda.json"
    mend = f"run: PYTHON={runtime} bash {script} --arch {architecture}"
    try:
        facts: Any = json.loads(file.read_text())
    except FileNotFoundError:
        raise pulumi.RunError(f"build/{app}: there is no package; {mend}") from None
    except OSError as error:
        raise pulumi.RunError(f"build/{app}/lambda.json: can't be read: {error.strerror}; {mend}") from None
    except (ValueError, RecursionError):
        raise pulumi.RunError(f"build/{app}/lambda.json: not JSON; {mend}") from None
    if not isinstance(facts, dict):
        raise pulumi.RunError(f"build/{app}/lambda.json: not an object; {mend}")
    for fact, wanted in (("runtime", runtime), ("architecture", architecture)):
        if facts.get(fact) != wanted:
            raise pulumi.RunError(f"build/{app}: built for {facts.get(fact)}, the stack wants {wanted}; {mend}")
    handler = facts.get("handler")
    if not isinstance(handler, str) or not handler:
        raise pulumi.RunError(f"build/{app}/lambda.json: names no handler; {mend}")
    return handler
