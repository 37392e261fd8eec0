"""The pages that a person sees: plain HTML, no script, everything from outside escaped."""

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
        '<p class="note">This is a stand-in for WorkOS AuthKit, for development. Nobody signs in here.</p>\n'
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
    """Who asks for what, and where the answer goes; the choice comes back with the ticket."""
    rows = {
        "Client": client.name,
        "May": scope or "nothing in particular",
        "At": resource or "every server of this environment",
        "The answer goes to": redirect_uri,
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
    """Chromium applies `form-action` to the redirect that answers a form, so the client's origin has to be in it."""
    parts = urlsplit(redirect_uri)
    web = parts.scheme in {"http", "https"}
    return f"{parts.scheme}://{parts.netloc}" if web else f"{parts.scheme}:"


def error_page(error: OAuth2Error) -> HTMLResponse:
    """An error that can't be sent to the client, because nothing proves yet where the client is."""
    said = error.get_error_description() or "The request can't be used."
    return _page("This can't go on", f"<p><code>{escape(error.error)}</code>: {escape(said)}</p>", status=400)


def front_page(settings: StandInSettings) -> HTMLResponse:
    """What this is."""
    resources = ", ".join(sorted(settings.resources)) or "none"
    body = (
        f"<dl>\n<dt>Issuer</dt><dd>{escape(settings.issuer)}</dd>\n"
        f"<dt>Resource Indicators</dt><dd>{escape(resources)}</dd>\n"
        f"<dt>Client id of the environment</dt><dd>{escape(settings.client_id)}</dd>\n</dl>"
    )
    return _page("AuthKit stand-in", body)
