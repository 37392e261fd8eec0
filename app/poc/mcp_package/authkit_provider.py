"""FastMCP's AuthKitProvider with stricter token checks, and a log line for a missing Resource Indicator."""

import base64
import json
import logging
import time

from fastmcp.server.auth import AccessToken
from fastmcp.server.auth.providers.workos import AuthKitProvider

logger = logging.getLogger(__name__)

LEEWAY_SECONDS = 60
"""The accepted difference between the issuer's clock and this clock (RFC 7519, section 4.1.5)."""


class ExplainingAuthKitProvider(AuthKitProvider):
    """AuthKitProvider that also refuses tokens that are not valid yet and tokens that never expire.

    FastMCP 4.1.2 ignores `nbf`, and accepts a token without `exp`, which RFC 9068, section 2.2, requires.

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
        super().__init__(authkit_domain=authkit_domain, base_url=base_url)
        self._client_id = client_id

    async def verify_token(self, token: str) -> AccessToken | None:
        """Verify an access token; None means that the server refuses it."""
        try:
            verified = await super().verify_token(token)
        except OverflowError:  # FastMCP converts `exp` to int, and Python's JSON parser accepts Infinity
            return None
        if verified and not _is_currently_valid(verified.claims):
            logger.info("a token was refused because it is not valid yet, or never expires")
            return None
        if verified is None and self._client_id in _claimed_audience(token):
            logger.warning(
                "a token was refused because its aud is WORKOS_CLIENT_ID, not this server: add %s as a Resource "
                "Indicator in the WorkOS dashboard, then sign in again",
                self._resource_url,
            )
        return verified


def _is_currently_valid(claims: dict[str, object]) -> bool:
    """Whether a token has an expiry, which FastMCP has checked, and is valid already (RFC 7519, 4.1.4 and 4.1.5)."""
    not_before = claims.get("nbf", 0)
    return (
        isinstance(claims.get("exp"), int | float)
        and isinstance(not_before, int | float)
        and not_before <= time.time() + LEEWAY_SECONDS  # False for NaN
    )


def _claimed_audience(token: str) -> list[object]:
    """Return the unverified `aud` of a token (RFC 7519, 4.1.3). Use it only for a hint in the log."""
    try:
        payload = token.split(".")[1]
        audience = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["aud"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    return audience if isinstance(audience, list) else [audience]
