"""Which names say that what they stand for is a secret: of a header, a cookie, a parameter, a field, a JSON key."""

import re
from functools import lru_cache
from urllib.parse import unquote

_NAMES = frozenset(
    {"authorization", "proxy_authorization", "code", "code_verifier", "token", "id_token_hint", "secret", "password",
     "passwd", "passphrase", "pwd", "assertion", "client_assertion", "api_key", "apikey", "credential",
     "credentials", "signature", "session", "sid", "ticket", "otp", "csrf", "xsrf", "jwt", "samlresponse",
     "authorization_code", "auth_code", "device_code", "user_code", "verification_code", "recovery_code"}
)  # fmt: skip
_ENDS = ("token", "_secret", "password", "api_key", "secret_key", "private_key", "access_key", "session_id",
         "_credential", "_signature")  # fmt: skip
# Not secrets, for all their names: MCP's and others' marks of a place.
_HARMLESS = frozenset({"next_page_token", "page_token", "progress_token"})
COOKIES = frozenset({"cookie", "cookies", "set_cookie"})
"""Normal names of what holds `name=value` pairs whose values are secrets all."""


@lru_cache(maxsize=4096)
def normal(name: str) -> str:
    """A name in one spelling: `Client-Secret`, `clientSecret` and `user[client_secret]` are `client_secret`."""
    last = [part for part in re.split(r"[^\w-]+", unquote(name)) if part][-1:]
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", "".join(last)).lower().replace("-", "_")


def is_secret(name: str) -> bool:
    """Whether what goes by this name must not be shown."""
    lower = normal(name)
    return lower not in _HARMLESS and (lower in _NAMES or lower.endswith(_ENDS))
