"""Translate a served path into a route key's path, and name everything that a route key cannot express.

The kinds of unsupported paths:

- `websocket`: an HTTP API does not support WebSockets (AWS: a WebSocket API does).
- `host`: a route key has no condition on the host.
- `everything`: a path that takes every path would leave no request for the app behind `$default`, if there is one.
- `trailing-slash`: a route key cannot end in `/`, and a request for `/x/` does not match the route `/x`
  (`routegen.gateway.assumptions.TRAILING_SLASH_MATCHES`).
- `empty-rest`: a greedy variable or a mount also matches an empty rest, and a greedy variable of a route key does not
  (`routegen.gateway.assumptions.GREEDY_MATCHES_EMPTY`).
- `empty-segment`: a variable also takes the empty text, and a variable of a route key does not.
- `path`: no URL can have the path, for example because of an empty segment.
- `hidden`: an earlier mount takes all requests of the route, so the app does not serve it.
- `redirect`, `sessions`, `endpoint-fails`, `loopback-only` and `event-stream`: see `routegen.extract.unreachable`.
- `misplaced-metadata`, `wrong-document`, `no-metadata` and `catch-all`: see `routegen.extract.served_documents`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote

from routegen.discover.served_path import ServedPath
from routegen.gateway import METHODS, RouteKeyError, RouteTable, Translation, takes_every_path, translate_path
from routegen.gateway.path_pattern import split_path

UnsupportedKind = Literal[
    "websocket", "host", "everything", "trailing-slash", "empty-rest", "empty-segment", "path", "hidden", "redirect",
    "misplaced-metadata", "wrong-document", "no-metadata", "catch-all", "sessions", "endpoint-fails", "loopback-only",
    "event-stream",
]  # fmt: skip


@dataclass(frozen=True)
class UnsupportedPath:
    """A path that an app serves, and that the manifest leaves out or makes wider.

    Attributes:
        kind: the kind, as the module's docstring explains it.
        app: the app's name.
        path: as the app writes it.
        text: one sentence with the kind, the app, the path, the reason and the remedy.
        refusable: whether an extraction refuses it, unless the configuration says `unsupported = "warn"`.
    """

    kind: UnsupportedKind
    app: str
    path: str
    text: str
    refusable: bool = True


def describe_problem(
    kind: UnsupportedKind, app: str, path: str, reason: str, *, refusable: bool = True
) -> UnsupportedPath:
    """Return an unsupported path with a sentence that begins with its kind and its app."""
    return UnsupportedPath(kind, app, path, f"{kind}: {app}: {reason}", refusable)


@dataclass(frozen=True)
class TranslatedPath:
    """The translation of a served path.

    Attributes:
        translation: the gateway's path, with every reason why it is wider than the app; None if the path gets no
            route key at all.
        unsupported: the parts that the translation cannot express; empty for most paths.
    """

    translation: Translation | None
    unsupported: tuple[UnsupportedPath, ...] = ()


def translate_served_path(app: str, served: ServedPath, *, has_default: bool = True) -> TranslatedPath:
    """Translate a path that an app serves, and list the parts that a route key cannot express.

    Args:
        app: the app's name.
        served: the path.
        has_default: whether an app is behind `$default`.
    """
    path = served.path
    without_slash = path.rstrip("/") or "/"
    if served.hidden_by:
        text = f"{path} never answers, because the mount at {served.hidden_by} takes its requests"
        return TranslatedPath(None, (describe_problem("hidden", app, path, text, refusable=False),))
    if served.protocol != "http":
        text = f"{path} is a WebSocket, and an HTTP API does not support WebSockets"
        return TranslatedPath(None, (describe_problem("websocket", app, path, text),))
    problems = [describe_problem("host", app, path, _host_text(served))] if served.host else []
    try:
        translation = translate_path(without_slash, served.regexes)
    except RouteKeyError as error:
        problem = describe_problem("path", app, path, f"{path} cannot be a route: {error}")
        return TranslatedPath(None, (*problems, problem))
    if has_default and takes_every_path(translation.path):
        return TranslatedPath(None, (*problems, describe_problem("everything", app, path, _everything_text(served))))
    *segments, last = split_path(path, served.regexes)
    if without_slash != path:
        problems.append(describe_problem("trailing-slash", app, path, _trailing_slash_text(path)))
    elif last.matches_empty:
        text = (
            f"{path} also serves the path that ends right after its last slash; "
            "AWS does not document whether API Gateway sends this request to the route"
        )
        problems.append(describe_problem("empty-rest", app, path, text, refusable=False))
    if any(segment.matches_empty and not segment.may_hold_slash for segment in segments):
        text = f"{path} also serves a path with an empty segment, which a variable of a route key does not take"
        problems.append(describe_problem("empty-segment", app, path, text, refusable=False))
    reasons = filter(None, (translation.widened, *_why_wider(served, without_slash)))
    return TranslatedPath(replace(translation, widened="; ".join(reasons) or None), tuple(problems))


def _why_wider(served: ServedPath, without_slash: str) -> Iterator[str]:
    """Yield each reason why the gateway sends more than the app serves, apart from the path's variables."""
    if without_slash != served.path:
        yield f"the app serves {served.path}, which no route key can name"
    if served.host:
        yield f"the app serves it only under the host {served.host}"
    if served.partly_hidden_by:
        yield f"the mount at {served.partly_hidden_by} answers the requests below it"


def is_covered(unsupported: UnsupportedPath, served: ServedPath, table: RouteTable) -> bool:
    """Whether another route key of the same app takes the requests of an unsupported path."""
    if unsupported.kind not in {"trailing-slash", "empty-rest", "path"}:
        return False
    path = _sample_request_path(served)
    return all(table.select(method, path) for method in served.methods or METHODS)


def _sample_request_path(served: ServedPath) -> str:
    """Return a request path that a served path might match, with an empty text for its last greedy variable."""
    *segments, last = split_path(served.path, served.regexes)
    texts = [quote(segment.source) if segment.is_literal else "x" for segment in segments]
    end = "" if last.matches_empty else quote(last.source) if last.is_literal else "x"
    return "/" + "/".join([*texts, end])


def _host_text(served: ServedPath) -> str:
    return f"{served.path} answers only under the host {served.host}, and a route key has no condition on the host"


def _everything_text(served: ServedPath) -> str:
    by_users = [name for name in served.handlers if not name.startswith(("mcp.", "fastmcp.", "mangum."))]
    handler = (by_users or served.handlers or ("the app",))[-1].rpartition(".")[2]
    return (
        f"{handler} at {served.path} takes every path, so the app behind $default would get no request; "
        "give the paths that the app shall have, with --own or `own` in the configuration"
    )


def _trailing_slash_text(path: str) -> str:
    without_slash = path.rstrip("/")
    parent = without_slash.rpartition("/")[0]
    remedy = f"; serve {without_slash} instead"
    if parent and "{" not in parent:
        remedy += f', or give --own {parent}, or own = ["{parent}"] in the configuration'
    return f"{path} ends in '/', which a route key cannot{remedy}"
