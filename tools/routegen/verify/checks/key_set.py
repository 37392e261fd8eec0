"""Check the keys that an authorization server publishes (RFC 7517, RFC 7518)."""

import base64
import binascii
from collections import Counter
from collections.abc import Iterator
from typing import Any

from routegen.errors import shorten
from routegen.report import Finding, rules
from routegen.verify.answers import Answers, Failure, shown
from routegen.verify.documents import read_document
from routegen.verify.oauth_discovery import OAuthDiscovery

# RFC 7518, sections 6.2 and 6.3; RFC 8037, section 2. `k` is a whole symmetric key.
_PRIVATE_PARTS = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_PUBLIC_PARTS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_KEY_TYPE_OF_ALGORITHM = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_MIN_RSA_BITS = 2048
_MAX_KEYS = 100  # A report about more keys would be too long to read.


def check_keys(discovery: OAuthDiscovery, answers: Answers) -> Iterator[Finding]:
    """Check that a resource server can verify tokens with the published keys."""
    fix = "Nothing, if the tokens are not JWTs or the MCP server issues them itself; or else publish a jwks_uri."
    for document in discovery.server_documents:
        if "jwks_uri" not in document.value:
            yield Finding(rules.NO_KEYS, document.url, "The metadata has no jwks_uri.", fix)
    for url in discovery.urls_of("jwks_uri"):
        key_set = read_document(answers, url)
        if key_set.is_document:
            yield from _check_key_set(url, key_set.value)
        elif not isinstance(key_set.answer, Failure):
            message = f"The key set's URL {key_set.description}."
            fix = "Serve the key set at this URL, or correct jwks_uri: the MCP server needs it to verify a token."
            yield Finding(rules.KEYS_UNREADABLE, url, message, fix)


def _check_key_set(url: str, value: dict[str, Any]) -> Iterator[Finding]:
    keys = value.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        fix = 'Send a JWK Set: `{"keys": [...]}` (RFC 7517, section 5).'
        yield Finding(rules.KEYS_UNREADABLE, url, "The document has no list of keys.", fix)
        return
    problems: list[str] = []
    signing_keys: list[dict[str, Any]] = []
    for number, key in enumerate(keys[:_MAX_KEYS], start=1):
        kid = f" ({shorten(str(key['kid']), 60)})" if key.get("kid") is not None else ""
        title = f"Key {number}{kid}"
        if private_parts := [name for name in _PRIVATE_PARTS if name in key]:
            # A report must not contain the key, so it has only the names.
            message = f"{title} has {', '.join(private_parts)}."
            fix = "Withdraw the key now, and publish only the public part of a new one: this key can forge tokens."
            yield Finding(rules.PRIVATE_KEY, url, message, fix)
        if key.get("use", "sig") != "enc":
            signing_keys.append(key)
            if problem := _key_problem(key):
                problems.append(f"{title} {problem}")
    if len(problems) == len(signing_keys):
        message = shorten("; ".join(problems), 500) or "The key set has no key for signatures"
        fix = "Publish the public key that the server signs tokens with: RSA with 2048 bits or more, EC, or OKP."
        yield Finding(rules.KEYS_UNUSABLE, url, f"{message}.", fix)
        return
    fix = "Correct or remove the key: tokens that are signed with it are refused."
    yield from (Finding(rules.KEY_UNUSABLE, url, f"{problem}.", fix) for problem in problems)
    yield from _check_key_ids(url, signing_keys)


def _check_key_ids(url: str, signing_keys: list[dict[str, Any]]) -> Iterator[Finding]:
    """Check that a verifier can choose one of several keys by its `kid` (RFC 7517, section 4.5)."""
    counts = Counter(str(key.get("kid")) if "kid" in key else "" for key in signing_keys)
    duplicates = ", ".join(sorted(kid for kid, count in counts.items() if kid and count > 1))
    if duplicates or (counts[""] and len(signing_keys) > 1):
        problem = f"several keys have the kid {duplicates}" if duplicates else "one of several keys has no kid"
        yield Finding(rules.KEY_UNUSABLE, url, f"In this key set, {shown(problem)}.", "Give each key a different kid.")


def _key_problem(key: dict[str, Any]) -> str | None:
    """The reason why a key cannot verify a signature; None for a usable key."""
    key_type = key.get("kty")
    if not isinstance(key_type, str) or key_type not in _PUBLIC_PARTS:
        return f"has kty {shorten(str(key_type))!r}, which cannot verify a signature in public"
    for name in _PUBLIC_PARTS[key_type]:
        if not isinstance(key.get(name), str) or not key[name]:
            return f"has no {name}"
    algorithm = key.get("alg")
    if algorithm is not None and _KEY_TYPE_OF_ALGORITHM.get(str(algorithm)[:2]) != key_type:
        return f"has alg {shorten(str(algorithm))!r}, which does not match kty {key_type!r}"
    operations = key.get("key_ops")
    if isinstance(operations, list) and "verify" not in operations:
        return "has key_ops without `verify`"
    return _rsa_problem(key) if key_type == "RSA" else None


def _rsa_problem(key: dict[str, Any]) -> str | None:
    """The reason why an RSA key is too weak: it needs 2048 bits or more (RFC 7518, section 3.3)."""
    try:
        text = key["n"].encode("ascii")
        bits = int.from_bytes(base64.b64decode(text + b"=" * (-len(text) % 4), b"-_", validate=True)).bit_length()
    except (binascii.Error, ValueError):
        return "has an n that is not base64url"
    return f"has only {bits} bits" if bits < _MIN_RSA_BITS else None
