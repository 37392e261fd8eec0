"""Known secrets out of everything that is shown, in whatever way they are written there."""

import base64
import html
import json
import re
from collections.abc import Callable, Iterator, Set
from typing import Any
from urllib.parse import quote, quote_plus

MASKED = "[masked]"

_SHORTEST = 6
"""Characters that a secret has at least to be looked for: a shorter text is in too many others."""

_MOST = 200
"""Secrets that are looked for, at most: each costs a look at all that is shown. Who sends more shows nothing."""


def sweep(secrets: Set[str], value: Any, names: Set[str] = frozenset()) -> Any:
    """Take out every copy of secrets.

    Args:
        secrets: as they are.
        value: a JSON value.
        names: keys that stay whatever is secret; whoever reads the value knows it by them.
    """
    long = [secret for secret in secrets if len(secret) >= _SHORTEST]
    if len(long) > _MOST:
        return _everywhere(value, lambda text: MASKED if text else text, names)
    everything = "\0".join(_texts(value))
    copies = {copy for secret in long for copy in _copies(secret) if len(copy) >= _SHORTEST and copy in everything}
    longest_first = sorted(copies, key=len, reverse=True)

    def clean(text: str) -> str:
        for copy in longest_first:
            text = text.replace(copy, MASKED)
        return text

    return _everywhere(value, clean, names) if copies else value


def _copies(secret: str) -> Iterator[str]:
    """Every way in which a secret may be written."""
    yield from (secret, html.escape(secret), html.escape(secret, quote=False), secret.replace("/", "\\/"))
    for encoded in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield from (encoded, re.sub("%..", lambda found: found[0].lower(), encoded), encoded.replace("%", "%25"))
    for escaped in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield from (escaped, json.dumps(escaped)[1:-1])
    raw = secret.encode("utf-8", "surrogatepass")
    for before in range(3):
        # What the secret alone decides of its base64, wherever it stands in what was encoded.
        text = base64.b64encode(bytes(before) + raw).decode()[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        yield from (text, text.replace("+", "-").replace("/", "_"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _everywhere(value: Any, change: Callable[[str], str], names: Set[str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key if key in names else change(key): _everywhere(one, change, names) for key, one in value.items()}
    if isinstance(value, list):
        return [_everywhere(one, change, names) for one in value]
    return value
