"""HTML pages for people. They have no scripts, and all values from outside are escaped."""

import base64
import hashlib
from html import escape
from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error
from starlette.responses import HTMLResponse

from dev.authkit.stand_in_settings import StandInSettings
from dev.authkit.stand_in_state import RegisteredClient

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 34rem; margin: 3rem auto; padding: 0 1rem; }
dt { font-weight: 600; } dd { margin: 0 0 .75rem; overflow-wrap: anywhere; }
button { font: inherit; padding: .5rem 1.5rem; margin-right: .75rem; }
.note { border-left: .25rem solid; padding-left: .75rem; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def _page(title: str, body: str, *, status: int = 200, form_action: str = "'none'") -> HTMLResponse:
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action {form_action}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    html = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n"
        '<p class="note">This is a stand-in for WorkOS AuthKit, for development. There is no real sign-in.</p>\n'
        "</main>\n</body>\n</html>\n"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, status, headers)


def consent_page(
    client: RegisteredClient, redirect_uri: str, scope: str, resource: str | None, ticket: str
) -> HTMLResponse:
    """Build the page that asks a person to allow a client. The form sends the choice with the ticket."""
    rows = {
        "Client": client.name,
        "Scope": scope or "none",
        "Resource": resource or "every server of this environment",
        "Redirect URI": redirect_uri,
    }
    listed = "\n".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows.items())
    body = (
        f"<dl>\n{listed}\n</dl>\n"
        '<form method="post" action="/oauth2/consent">\n'
        f'<input type="hidden" name="ticket" value="{escape(ticket)}">\n'
        '<button name="choice" value="allow">Allow</button>\n'
        '<button name="choice" value="deny">Deny</button>\n</form>'
    )
    return _page("Allow this client?", body, form_action=f"'self' {_origin(redirect_uri)}")


def _origin(redirect_uri: str) -> str:
    """Return the client's origin for `form-action`, which Chromium also applies to the redirect after a form."""
    parts = urlsplit(redirect_uri)
    is_web = parts.scheme in {"http", "https"}
    return f"{parts.scheme}://{parts.netloc}" if is_web else f"{parts.scheme}:"


def error_page(error: OAuth2Error) -> HTMLResponse:
    """Build the page for an error that must not be sent to the client, because its redirect URI is not verified."""
    description = error.get_error_description() or "The request is invalid."
    return _page("Sign-in failed", f"<p><code>{escape(error.error)}</code>: {escape(description)}</p>", status=400)


def front_page(settings: StandInSettings) -> HTMLResponse:
    """Build the page that describes the stand-in."""
    resources = ", ".join(sorted(settings.resources)) or "none"
    body = (
        f"<dl>\n<dt>Issuer</dt><dd>{escape(settings.issuer)}</dd>\n"
        f"<dt>Resource Indicators</dt><dd>{escape(resources)}</dd>\n"
        f"<dt>Client id of the environment</dt><dd>{escape(settings.client_id)}</dd>\n</dl>"
    )
    return _page("AuthKit stand-in", body)
