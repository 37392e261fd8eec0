"""What the gateway can carry of what an app serves, and a named notice for each thing that it can't.

In: a `ServedPath` entry. Out: `Carried`, its translation, or none, and notices. The kinds of notices:

- `websocket`: an HTTP API carries no WebSocket handshake (AWS: that takes a WebSocket API).
- `host`: a route key has no host condition.
- `everything`: a path that takes every path would leave the app behind `$default` nothing.
- `trailing-slash`: a route key can't end in `/`, and whether `/x/` takes the route `/x` observers disagree.
- `empty-rest`: a greedy variable or a mount also takes nothing after its slash; the gateway may not.
- `path`: a path that no URL can have, such as one with an empty segment.
- `hidden`: a mount before it takes all its requests, so the app doesn't serve it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote

from routegen.discover.served_path import ServedPath
from routegen.gateway import METHODS, RouteKeyError, RouteTable, Translation, takes_every_path, translate_path
from routegen.gateway.path_pattern import split_path

Kind = Literal["websocket", "host", "everything", "trailing-slash", "empty-rest", "path", "hidden"]


@dataclass(frozen=True)
class Notice:
    """Something that an app serves and the manifest leaves out, or says wider.

    Attributes:
        path: as the app writes it.
        text: one sentence: which app, which path, why, and what to do.
        refusable: whether extraction refuses it, unless the configuration says `unsupported = "warn"`.
    """

    kind: Kind
    app: str
    path: str
    text: str
    refusable: bool = True


@dataclass(frozen=True)
class Carried:
    """What becomes of a served path.

    Attributes:
        translation: what the gateway gets, with every reason why that is more than the app serves; None for what gets
            no route key at all.
        notices: what has to be said of it; nothing for most.
    """

    translation: Translation | None
    notices: tuple[Notice, ...] = ()


def carry(app: str, served: ServedPath) -> Carried:
    """Say what the gateway can carry of a path that an app serves."""
    path = served.path

    def notice(kind: Kind, text: str, refusable: bool = True) -> Notice:
        return Notice(kind, app, path, f"{kind}: {app}: {text}", refusable)

    if served.hidden_by:
        text = f"{path} never answers: what is mounted at {served.hidden_by} takes its requests"
        return Carried(None, (notice("hidden", text, refusable=False),))
    if served.protocol != "http":
        return Carried(None, (notice("websocket", f"{path} is a WebSocket, and an HTTP API carries none"),))
    found = [notice("host", _host(served))] if served.host else []
    named = path.rstrip("/") or "/"
    try:
        translation = translate_path(named, served.regexes)
    except RouteKeyError as error:
        return Carried(None, (*found, notice("path", f"{path} can't be a route: {error}")))
    if takes_every_path(translation.path):
        return Carried(None, (*found, notice("everything", _everything(served))))
    if named != path:
        found.append(notice("trailing-slash", _trailing(path)))
    elif split_path(path, served.regexes)[-1].matches_empty:
        text = f"{path} also takes nothing after its last slash; whether the gateway sends that is not known"
        found.append(notice("empty-rest", text, refusable=False))
    reasons = [*_why_wider(served, named)]
    if translation.widened:
        reasons.insert(0, translation.widened)
    return Carried(replace(translation, widened="; ".join(reasons) or None), tuple(found))


def _why_wider(served: ServedPath, named: str) -> Iterator[str]:
    """Why the path that a key can name takes more than the app serves, whatever its variables."""
    if named != served.path:
        yield f"the app serves {served.path}, which no route key can name"
    if served.host:
        yield f"the app serves it only under the host {served.host}"
    if served.partly_hidden_by:
        yield f"what is below {served.partly_hidden_by} is answered by what is mounted there"


def carried_by(table: RouteTable, served: ServedPath, notice: Notice) -> bool:
    """Whether another key of the same app takes what a notice says is left out."""
    if notice.kind not in {"trailing-slash", "empty-rest", "path"}:
        return False
    path = sample(served)
    return all(table.select(method, path) for method in served.methods or METHODS)


def sample(served: ServedPath) -> str:
    """A request path that a served path might take, its last greedy variable empty."""
    *parts, last = split_path(served.path, served.regexes)
    texts = [quote(part.source) if part.is_literal else "x" for part in parts]
    end = "" if last.matches_empty else quote(last.source) if last.is_literal else "x"
    return "/" + "/".join([*texts, end])


def _host(served: ServedPath) -> str:
    return f"{served.path} answers only under the host {served.host}, and a route key has no host condition"


def _everything(served: ServedPath) -> str:
    answers = served.handlers[-1].rpartition(".")[2] if served.handlers else "the app"
    return (
        f"{answers} at {served.path} takes every path, which would leave the app behind $default nothing; "
        "`own` says which paths it is to have"
    )


def _trailing(path: str) -> str:
    parent = path.rstrip("/").rpartition("/")[0]
    hint = f"; serve {path.rstrip('/')} instead"
    if parent and "{" not in parent:
        hint += f', or own = ["{parent}"]'
    return f"{path} ends in '/', and a route key can't{hint}"
