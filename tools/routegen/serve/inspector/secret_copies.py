"""Mask every copy of known secrets in a JSON value, in each encoding in which a copy can be written."""

import base64
import html
import json
import re
from collections.abc import Callable, Iterator, Set
from typing import Any
from urllib.parse import quote, quote_plus

MASKED = "[masked]"

_MIN_LENGTH = 6
"""Length from which on copies of a secret are masked: a shorter text is a part of too many other texts."""

_MAX_SECRETS = 200
"""Number of secrets whose copies are looked for, because each costs a search of the whole value. If there are more,
every text is masked."""


def mask_copies(secrets: Set[str], value: Any, kept_keys: Set[str] = frozenset()) -> Any:
    """Replace every copy of secrets in a JSON value by `[masked]`.

    Args:
        secrets: the secrets, not encoded.
        value: a JSON value.
        kept_keys: keys that stay unchanged, because the reader of the value needs them.
    """
    long_secrets = [secret for secret in secrets if len(secret) >= _MIN_LENGTH]
    if len(long_secrets) > _MAX_SECRETS:
        return _map_texts(value, lambda text: MASKED if text else text, kept_keys)
    all_text = "\0".join(_texts(value))
    copies = {copy for secret in long_secrets for copy in _copies(secret) if len(copy) >= _MIN_LENGTH}
    longest_first = sorted((copy for copy in copies if copy in all_text), key=len, reverse=True)

    def mask(text: str) -> str:
        for copy in longest_first:
            text = text.replace(copy, MASKED)
        return text

    return _map_texts(value, mask, kept_keys) if longest_first else value


def _copies(secret: str) -> Iterator[str]:
    """A secret in each encoding: HTML, JSON, percent-encoding and base64."""
    yield from (secret, html.escape(secret), html.escape(secret, quote=False), secret.replace("/", "\\/"))
    for encoded in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield from (encoded, re.sub("%..", lambda escape: escape[0].lower(), encoded), encoded.replace("%", "%25"))
    for escaped in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield from (escaped, json.dumps(escaped)[1:-1])
    raw = secret.encode("utf-8", "surrogatepass")
    for offset in range(3):
        # The base64 characters that depend only on the secret, for each offset within base64's groups of three bytes.
        text = base64.b64encode(bytes(offset) + raw).decode()[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]
        yield from (text, text.replace("+", "-").replace("/", "_"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _map_texts(value: Any, change: Callable[[str], str], kept_keys: Set[str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {
            key if key in kept_keys else change(key): _map_texts(item, change, kept_keys) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_map_texts(item, change, kept_keys) for item in value]
    return value
