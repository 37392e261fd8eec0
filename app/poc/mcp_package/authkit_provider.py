"""FastMCP's AuthKitProvider with one check more, and a line in the log for the mistake that everybody makes first."""

import base64
import json
import logging
import time

from fastmcp.server.auth import AccessToken
from fastmcp.server.auth.providers.workos import AuthKitProvider

logger = logging.getLogger(__name__)


LEEWAY_SECONDS = 60
"""How far the issuer's clock may be ahead of this one (RFC 7519, section 4.1.5)."""


class ExplainingAuthKitProvider(AuthKitProvider):
    """Refuses what AuthKitProvider refuses, and says why where the WorkOS dashboard is the reason.

    It refuses a token that is not valid yet or that never expires, too: FastMCP (4.1.2) doesn't look at `nbf`, and
    takes a token without `exp`, which RFC 9068, section 2.2, requires.

    Without a Resource Indicator there, AuthKit issues tokens for the whole environment: their `aud` is its
    client id, and a server that takes only tokens for itself (RFC 8707, section 2) must refuse them.
    """

    def __init__(self, *, authkit_domain: str, base_url: str, client_id: str) -> None:
        """Take AuthKit's domain, this server's public URL, and the WorkOS environment's client id."""
        super().__init__(authkit_domain=authkit_domain, base_url=base_url)
        self._client_id = client_id

    async def verify_token(self, token: str) -> AccessToken | None:
        """What AuthKitProvider makes of the token: None where it is refused."""
        try:
            verified = await super().verify_token(token)
        except OverflowError:  # FastMCP makes an int of `exp`, and JSON in Python may say Infinity
            return None
        if verified and not _is_in_time(verified.claims):
            logger.info("a token was refused because it is not valid yet, or never expires")
            return None
        if verified is None and self._client_id in _claimed_audience(token):
            logger.warning(
                "a token was refused because its aud is WORKOS_CLIENT_ID, not this server: add %s as a Resource "
                "Indicator in the WorkOS dashboard, then sign in again",
                self._resource_url,
            )
        return verified


def _is_in_time(claims: dict[str, object]) -> bool:
    """Whether a token has an end, which FastMCP has checked, and has begun (RFC 7519, 4.1.4 and 4.1.5)."""
    begins = claims.get("nbf", 0)
    return (
        isinstance(claims.get("exp"), int | float)
        and isinstance(begins, int | float)
        and begins <= time.time() + LEEWAY_SECONDS  # never true of NaN
    )


def _claimed_audience(token: str) -> list[object]:
    """What a token says it is for; unverified, fit for a hint in a log and nothing else (RFC 7519, 4.1.3)."""
    try:
        payload = token.split(".")[1]
        audience = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["aud"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    return audience if isinstance(audience, list) else [audience]
