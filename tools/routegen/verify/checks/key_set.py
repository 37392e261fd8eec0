"""The keys that an authorization server publishes (RFC 7517, RFC 7518)."""

import base64
import binascii
from collections import Counter
from collections.abc import Iterator
from typing import Any

from routegen.report import Finding, rules
from routegen.verify.answers import Answers
from routegen.verify.documents import Absent, read_document
from routegen.verify.oauth_discovery import Chain, is_secure, is_web
from routegen.verify.ssrf_guard import split

# RFC 7518, sections 6.2 and 6.3; RFC 8037, section 2. `k` is a whole symmetric key: published, it is everybody's.
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_PUBLIC = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_FAMILY = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_RSA_BITS = 2048


def keys_urls(chain: Chain) -> list[str]:
    """Where the servers say that their keys are, each URL once, those that may be asked."""
    urls = [server.metadata.value.get("jwks_uri") for server in chain.servers if server.metadata]
    usable = [url for url in urls if isinstance(url, str) and is_web(split(url)) and is_secure(url)]
    return list(dict.fromkeys(usable))


def keys(chain: Chain, answers: Answers) -> Iterator[Finding]:
    """Whether a resource server can check tokens with what is published."""
    for server in chain.servers:
        if server.metadata and "jwks_uri" not in server.metadata.value:
            todo = "Nothing needs to be done where tokens aren't JWTs, or where the MCP server checks them itself."
            yield Finding(rules.NO_KEYS, server.metadata.url, "There is no jwks_uri in it.", todo)
    for url in keys_urls(chain):
        document = read_document(answers, url)
        if isinstance(document, Absent):
            if document.failure is None:
                todo = "Serve the key set there, or correct jwks_uri: the MCP server can't check a token without it."
                yield Finding(rules.KEYS_UNREADABLE, url, f"It {document.said}.", todo)
            continue
        yield from _key_set(url, document.value)


def _key_set(url: str, value: dict[str, Any]) -> Iterator[Finding]:
    found = value.get("keys")
    if not isinstance(found, list) or not all(isinstance(key, dict) for key in found):
        yield Finding(rules.KEYS_UNREADABLE, url, "It has no list of keys.", "Send a JWK Set (RFC 7517, section 5).")
        return
    for number, key in enumerate(found):
        if private := [name for name in _PRIVATE if name in key]:
            # The names alone: a report is no place for a key.
            said = f"{_name(number, key)} has {', '.join(private)}."
            todo = "Withdraw the key now and publish only the public part of a new one: tokens can be forged with it."
            yield Finding(rules.PRIVATE_KEY, url, said, todo)
    signing = [(number, key) for number, key in enumerate(found) if key.get("use", "sig") != "enc"]
    problems = {number: problem for number, key in signing if (problem := _problem(key))}
    if len(problems) == len(signing):
        said = "; ".join(f"{_name(number, found[number])} {why}" for number, why in problems.items())
        todo = "Publish the public key that tokens are signed with: RSA of 2048 bits or more, EC or OKP."
        yield Finding(rules.KEYS_UNUSABLE, url, f"{said[:500] or 'There is no key for signatures'}.", todo)
        return
    for number, why in problems.items():
        said = f"{_name(number, found[number])} {why}."
        yield Finding(rules.KEY_UNUSABLE, url, said, "Correct the key or remove it: a token signed with it is refused.")
    yield from _names(url, [key for _, key in signing])


def _names(url: str, signing: list[dict[str, Any]]) -> Iterator[Finding]:
    """Of several keys, a verifier picks one by its `kid` (RFC 7517, section 4.5)."""
    names = Counter(str(key.get("kid")) if "kid" in key else "" for key in signing)
    doubled = sorted(name for name, count in names.items() if name and count > 1)
    if doubled or (names[""] and len(signing) > 1):
        said = f"kid {', '.join(doubled)} is there twice" if doubled else "one of several keys has no kid"
        yield Finding(rules.KEY_UNUSABLE, url, f"In it, {said[:300]}.", "Give each key a kid of its own.")


def _problem(key: dict[str, Any]) -> str | None:
    """Why a key can't verify a signature."""
    kind = key.get("kty")
    if not isinstance(kind, str) or kind not in _PUBLIC:
        return f"has kty {str(kind)[:40]!r}, with which no signature can be verified by others"
    for name in _PUBLIC[kind]:
        if not isinstance(key.get(name), str) or not key[name]:
            return f"has no {name}"
    alg = key.get("alg")
    if alg is not None and _FAMILY.get(str(alg)[:2]) != kind:
        return f"has alg {str(alg)[:40]!r}, which doesn't go with kty {kind!r}"
    operations = key.get("key_ops")
    if isinstance(operations, list) and "verify" not in operations:
        return "may not be used to verify"
    return _weak(key) if kind == "RSA" else None


def _weak(key: dict[str, Any]) -> str | None:
    """RFC 7518, section 3.3: 2048 bits or more."""
    try:
        text = key["n"].encode("ascii")
        bits = int.from_bytes(base64.b64decode(text + b"=" * (-len(text) % 4), b"-_", validate=True)).bit_length()
    except (binascii.Error, ValueError):
        return "has an n that is not base64url"
    return f"has only {bits} bits" if bits < _RSA_BITS else None


def _name(number: int, key: dict[str, Any]) -> str:
    kid = key.get("kid")
    return f"Key {number + 1}" + (f" ({str(kid)[:60]})" if kid is not None else "")
