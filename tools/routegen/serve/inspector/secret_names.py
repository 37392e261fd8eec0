"""Names that mean that a value is a secret: names of headers, cookies, parameters, form fields and JSON keys."""

import re
from functools import lru_cache
from urllib.parse import unquote

_SECRET_NAMES = frozenset(
    {"authorization", "proxy_authorization", "code", "code_verifier", "token", "id_token_hint", "secret", "password",
     "passwd", "passphrase", "pwd", "assertion", "client_assertion", "api_key", "apikey", "credential",
     "credentials", "signature", "session", "sid", "ticket", "otp", "csrf", "xsrf", "jwt", "samlresponse",
     "authorization_code", "auth_code", "device_code", "user_code", "verification_code", "recovery_code"}
)  # fmt: skip
_SECRET_ENDINGS = ("token", "_secret", "password", "api_key", "secret_key", "private_key", "access_key", "session_id",
                   "_credential", "_signature")  # fmt: skip
# They end like secrets, and are positions in a list or in a task (MCP specification, "Progress").
_HARMLESS_NAMES = frozenset({"next_page_token", "page_token", "progress_token"})
COOKIE_NAMES = frozenset({"cookie", "cookies", "set_cookie"})
"""Normalized names of values that are `name=value` pairs, in which every value is a secret."""


@lru_cache(maxsize=4096)
def normalize_name(name: str) -> str:
    """A name in one spelling: `Client-Secret`, `clientSecret` and `user[client_secret]` become `client_secret`."""
    last_part = [part for part in re.split(r"[^\w-]+", unquote(name)) if part][-1:]
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", "".join(last_part)).lower().replace("-", "_")


def is_secret_name(name: str) -> bool:
    """Whether a value with this name must not be shown."""
    normalized = normalize_name(name)
    if normalized in _HARMLESS_NAMES:
        return False
    return normalized in _SECRET_NAMES or normalized.endswith(_SECRET_ENDINGS)
