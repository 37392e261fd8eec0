"""URLs as the clients see them: parsed and written again by the WHATWG's rules.

JavaScript's `URL` and pydantic's URL types both keep to them; pydantic is at hand, so its parser stands for both.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_core import Url


@dataclass(frozen=True)
class Web:
    """A URL in parts.

    Attributes:
        href: all of it, normal: lower case, no default port, `/` for an empty path.
        path: `/` where there is none.
        query: with its question mark; empty where there is none.
        userinfo: whether it names a user or a password.
    """

    href: str
    scheme: str
    host: str
    port: int | None
    path: str
    query: str
    userinfo: bool

    @property
    def origin(self) -> str:
        """Scheme, host and port, without a default port."""
        default = {"http": 80, "https": 443}.get(self.scheme)
        return f"{self.scheme}://{self.host}" + (f":{self.port}" if self.port not in {None, default} else "")


def parsed(text: str) -> Web | None:
    """What `new URL(text)` makes of a text; None where it throws."""
    try:
        url = Url(text)
    except (ValidationError, ValueError):
        return None
    return Web(
        href=str(url),
        scheme=url.scheme,
        host=url.host or "",
        port=url.port,
        path=url.path or "/",
        query=f"?{url.query}" if url.query else "",
        userinfo=url.username is not None or url.password is not None,
    )


def preserved(text: str) -> str | None:
    """What pydantic makes of an http URL where it keeps an empty path; None where it refuses."""
    web = parsed(text)
    if web is None or web.scheme not in {"http", "https"} or not web.host:
        return None
    if web.path == "/" and not _has_path(text):
        slash = web.href.index("/", len(web.scheme) + 3)
        return web.href[:slash] + web.href[slash + 1 :]
    return web.href


def _has_path(text: str) -> bool:
    try:
        return bool(urlsplit(text.strip()).path)
    except ValueError:
        return True
