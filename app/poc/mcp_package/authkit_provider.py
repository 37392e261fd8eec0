"""FastMCP's AuthKitProvider with AuthKit's scopes, a stricter token check, and a log line for the commonest mistake."""

import base64
import json
import logging
import math

from fastmcp.server.auth import AccessToken
from fastmcp.server.auth.providers.workos import AuthKitProvider

logger = logging.getLogger(__name__)

AUTHKIT_SCOPES = ["openid", "profile", "email", "offline_access"]
"""The scopes that AuthKit offers. Clients request what `scopes_supported` of the protected resource metadata lists.

FastMCP would send an empty list, which RFC 9728, section 3.2, does not allow: clients make an empty `scope` of it, and
strict authorization servers refuse that.
"""


class ExplainingAuthKitProvider(AuthKitProvider):
    """AuthKitProvider that also refuses tokens that never expire.

    FastMCP 4.2.3 accepts a token without `exp`, which RFC 9068, section 2.2, requires.

    If the WorkOS dashboard has no Resource Indicator for this server, AuthKit issues tokens for the whole environment:
    their `aud` is the client id of the environment. The server must refuse them, because it must accept only tokens
    for itself (RFC 8707, section 2). The log then explains the reason.
    """

    def __init__(self, *, authkit_domain: str, base_url: str, client_id: str) -> None:
        """Create the provider.

        Args:
            authkit_domain: the URL of AuthKit.
            base_url: the public URL of this server, without `/mcp`.
            client_id: the client id of the WorkOS environment.
        """
        super().__init__(authkit_domain=authkit_domain, base_url=base_url, scopes_supported=AUTHKIT_SCOPES)
        self._client_id = client_id

    async def verify_token(self, token: str) -> AccessToken | None:
        """Verify an access token; None means that the server refuses it."""
        try:
            verified = await super().verify_token(token)
            if verified and (verified.expires_at is None or math.isnan(verified.claims.get("nbf") or 0)):
                logger.info("a token was refused because it never expires, or its nbf is not a number")
                return None
        except OverflowError:  # Python's JSON parser accepts Infinity, and integers that are too large for a float
            return None
        if verified is None and self._client_id in _claimed_audience(token):
            logger.warning(
                "a token was refused because its aud is WORKOS_CLIENT_ID, not this server: add %s as a Resource "
                "Indicator in the WorkOS dashboard, then sign in again",
                self._resource_url,
            )
        return verified


def _claimed_audience(token: str) -> list[object]:
    """Return the unverified `aud` of a token (RFC 7519, 4.1.3). Use it only for a hint in the log."""
    try:
        payload = token.split(".")[1]
        audience = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["aud"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    return audience if isinstance(audience, list) else [audience]
