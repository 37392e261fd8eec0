"""Settings of the MCP server, from environment variables.

A missing or malformed value ends the cold start with one line on stderr that names the variable. On Lambda, this line
is in the log before a client gets an unclear error.
"""

import re
import sys
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings

_EXAMPLES = {
    "AUTHKIT_DOMAIN": "https://your-app.authkit.app",
    "WORKOS_CLIENT_ID": "client_01ABCDEF",
    "MCP_BASE_URL": "https://mcp.example.com",
    "WIKI_URL": "https://mcp.example.com",
    "WIKI_READER_TOKEN": "the output of `openssl rand -hex 32`",
}


def _with_scheme(value: object) -> object:
    """Add https:// to a domain without a scheme, which is how the WorkOS dashboard shows it."""
    return f"https://{value}" if isinstance(value, str) and value and "://" not in value else value


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _normalize_url(value: str) -> str:
    """Normalize an http(s) URL: the host in lower case, no default port, no slash at the end.

    Raises:
        ValueError: the value is not an http(s) URL, or it has more than scheme, host and path.
    """
    # AnyHttpUrl accepts and corrects these characters. The result would differ from the URL in the WorkOS dashboard.
    if any(not char.isprintable() or char in ' <>"{}|\\^`' for char in value):
        raise ValueError("has a character that a URL cannot have")
    try:
        url = AnyHttpUrl(value)
    except ValidationError:
        raise ValueError("is not an http(s) URL") from None
    if url.username or url.password or url.query is not None or url.fragment is not None:
        raise ValueError("has more than scheme, host and path")
    return str(url).rstrip("/")


def _require_https(value: str) -> str:
    url = AnyHttpUrl(value)
    if url.scheme == "http" and not _is_loopback(url.host or ""):
        raise ValueError("is not https; only a loopback address can use http")
    return value


def _require_no_path(value: str) -> str:
    if AnyHttpUrl(value).path != "/":
        raise ValueError("has a path, and AuthKit serves its metadata at the root")
    return value


def _check_token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9._~+/-]*=*", value.get_secret_value()):  # RFC 6750, section 2.1
        raise ValueError("has a character that no token can have")
    return value


Url = Annotated[str, AfterValidator(_normalize_url)]
PublicUrl = Annotated[Url, AfterValidator(_require_https)]


class McpSettings(BaseSettings):
    """The environment variables of the server, validated. URLs have no slash at the end."""

    authkit_domain: Annotated[PublicUrl, BeforeValidator(_with_scheme), AfterValidator(_require_no_path)]
    workos_client_id: Annotated[str, Field(pattern=r"^client_[A-Za-z0-9_]+$")]
    mcp_base_url: PublicUrl
    wiki_url: Annotated[Url, Field(validate_default=False)] = ""
    wiki_reader_token: Annotated[SecretStr, AfterValidator(_check_token)] = SecretStr("")

    @model_validator(mode="after")
    def _complete_wiki_url(self) -> "McpSettings":
        """Use the origin of MCP_BASE_URL if WIKI_URL is not set, because the wiki is behind the same gateway.

        Raises:
            ValueError: the reader's token would be sent without TLS.
        """
        if not self.wiki_url:
            parts = urlsplit(self.mcp_base_url)
            self.wiki_url = f"{parts.scheme}://{parts.netloc}"
        if self.wiki_reader_token:
            try:
                _require_https(self.wiki_url)
            except ValueError as error:
                raise ValueError(f"{error}, and WIKI_READER_TOKEN is not sent without TLS") from None
        return self


def load_settings() -> McpSettings:
    """Read and validate the environment variables.

    Raises:
        SystemExit: a variable is missing or malformed. The process ends with one line on stderr.
    """
    try:
        return McpSettings()  # type: ignore[call-arg]  # the values come from the environment
    except ValidationError as error:
        problems = [_describe(detail["loc"], detail["type"], detail["msg"]) for detail in error.errors()]
        sys.exit(f"mcp_server: {'; '.join(problems)}")


def _describe(location: tuple[int | str, ...], error_type: str, message: str) -> str:
    name = str(location[0]).upper() if location else "WIKI_URL"  # the URL that the whole model is checked for
    if error_type == "missing":
        problem = "is not set"
    elif error_type == "string_pattern_mismatch":
        problem = "is not a WorkOS client id"
    else:
        problem = message.removeprefix("Value error, ")
    return f"{name} {problem} (a good value: {_EXAMPLES[name]})"
