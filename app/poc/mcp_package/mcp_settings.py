"""What the server takes from its environment.

A value that is missing or malformed ends the cold start with one line on stderr that names the variable: on
Lambda that line is the first thing in the log, before any client has seen a vague error.
"""

import sys
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings

_EXAMPLES = {
    "AUTHKIT_DOMAIN": "https://your-app.authkit.app",
    "WORKOS_CLIENT_ID": "client_01ABCDEF",
    "MCP_BASE_URL": "https://mcp.example.com",
    "WIKI_URL": "https://mcp.example.com",
}


def _with_scheme(value: object) -> object:
    """AuthKit's domain may stand alone, as its dashboard shows it."""
    return f"https://{value}" if isinstance(value, str) and value and "://" not in value else value


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _url(value: str) -> str:
    """A URL as `AnyHttpUrl` writes it (the host in lower case, no default port), without a final slash.

    Raises:
        ValueError: not an http(s) URL, or one with more than scheme, host and path.
    """
    # AnyHttpUrl takes these and mends them: better a message now than another URL than the one in the dashboard.
    if any(not char.isprintable() or char in ' <>"{}|\\^`' for char in value):
        raise ValueError("has a character that a URL can't have")
    try:
        url = AnyHttpUrl(value)
    except ValidationError:
        raise ValueError("is not an http(s) URL") from None
    if url.username or url.password or url.query is not None or url.fragment is not None:
        raise ValueError("has more than scheme, host and path")
    return str(url).rstrip("/")


def _secure(value: str) -> str:
    url = AnyHttpUrl(value)
    if url.scheme == "http" and not _is_loopback(url.host or ""):
        raise ValueError("is not https, which every host but this machine needs")
    return value


def _origin(value: str) -> str:
    if AnyHttpUrl(value).path != "/":
        raise ValueError("has a path; AuthKit serves its metadata at the root")
    return value


Url = Annotated[str, AfterValidator(_url)]
PublicUrl = Annotated[Url, AfterValidator(_secure)]


class McpSettings(BaseSettings):
    """The environment, checked. URLs have no final slash."""

    authkit_domain: Annotated[PublicUrl, BeforeValidator(_with_scheme), AfterValidator(_origin)]
    workos_client_id: Annotated[str, Field(pattern=r"^client_[A-Za-z0-9_]+$")]
    mcp_base_url: PublicUrl
    wiki_url: Annotated[Url, Field(validate_default=False)] = ""

    @model_validator(mode="after")
    def _wiki_on_the_same_domain(self) -> "McpSettings":
        """The wiki owns `$default` of the same gateway, unless WIKI_URL says otherwise."""
        if not self.wiki_url:
            parts = urlsplit(self.mcp_base_url)
            self.wiki_url = f"{parts.scheme}://{parts.netloc}"
        return self


def load_settings() -> McpSettings:
    """The settings of this process; ends it with one line on stderr where they can't be used.

    Raises:
        SystemExit: a variable is missing or malformed.
    """
    try:
        return McpSettings()  # type: ignore[call-arg]  # the environment fills them
    except ValidationError as error:
        problems = [_say(detail["loc"], detail["type"], detail["msg"]) for detail in error.errors()]
        sys.exit(f"mcp_server: {'; '.join(problems)}")


def _say(location: tuple[int | str, ...], kind: str, message: str) -> str:
    name = str(location[0]).upper()
    if kind == "missing":
        what = "is not set"
    elif kind == "string_pattern_mismatch":
        what = "is not a WorkOS client id"
    else:
        what = message.removeprefix("Value error, ")
    return f"{name} {what} (a good value: {_EXAMPLES[name]})"
