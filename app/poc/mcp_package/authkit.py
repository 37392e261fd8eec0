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

    It refuses a token that is not valid yet, too: FastMCP (4.1.2) looks at `exp` and not at `nbf`.

    Without a Resource Indicator there, AuthKit issues tokens for the whole environment: their `aud` is its
    client id, and a server that takes only tokens for itself (RFC 8707, section 2) must refuse them.
    """

    def __init__(self, *, authkit_domain: str, base_url: str, client_id: str) -> None:
        """Take AuthKit's domain, this server's public URL, and the WorkOS environment's client id."""
        super().__init__(authkit_domain=authkit_domain, base_url=base_url)
        self._client_id = client_id

    async def verify_token(self, token: str) -> AccessToken | None:
        """What AuthKitProvider makes of the token: None where it is refused."""
        verified = await super().verify_token(token)
        if verified and _is_early(verified.claims.get("nbf")):
            logger.info("a token was refused because it is not valid yet")
            return None
        if verified is None and self._client_id in _claimed_audience(token):
            logger.warning(
                "a token was refused because its aud is WORKOS_CLIENT_ID, not this server: add %s as a Resource "
                "Indicator in the WorkOS dashboard, then sign in again",
                self._resource_url,
            )
        return verified


def _is_early(not_before: object) -> bool:
    """Whether a token's `nbf`, a number of seconds since 1970 where there is one, says that it is not valid yet."""
    if not_before is None:
        return False
    return not isinstance(not_before, int | float) or not_before > time.time() + LEEWAY_SECONDS


def _claimed_audience(token: str) -> list[object]:
    """What a token says it is for; unverified, fit for a hint in a log and nothing else (RFC 7519, 4.1.3)."""
    try:
        payload = token.split(".")[1]
        audience = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["aud"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    return audience if isinstance(audience, list) else [audience]
