"""Accounts that exist before the first visitor: the administrator, and the reader of the MCP server.

`WIKI_ADMIN_EMAIL` and `WIKI_ADMIN_PASSWORD_HASH` name the administrator. The account is created, or its password is
set, at the first start with these values; a later change of the password in the wiki stays.
`WIKI_READER_TOKEN_HASH` is the SHA-256 of a token. A request with this bearer token can read pages, and nothing else.
"""

import hmac
import logging
import os
import re
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from flask import Flask, Request, Response, redirect, request
from flask_login import LoginManager, UserMixin, current_user

PASSWORD_HASH = re.compile(r"(?:scrypt|pbkdf2)(?::\w+)+\$[^$]+\$[0-9a-f]{32,}")
"""The form of a hash of werkzeug.security.generate_password_hash."""
TOKEN_HASH = re.compile(r"[0-9a-f]{64}")
# A token of itsdangerous: payload, time and signature. Otterwiki logs it if it is not valid or no longer valid.
_LOGGED_TOKEN = re.compile(
    r"[\w.-]{4,}\.[\w-]{6}\.[\w-]{20,}|(?<=-/recover_password/)\S+|(?<=-/confirm_email/)\S+", re.IGNORECASE
)


class Administrator:
    """The administrator that the environment names, if it names one."""

    def __init__(self, data: Path) -> None:
        """Read the environment.

        Raises:
            ValueError: a value is missing or malformed.
        """
        self.email = os.environ.get("WIKI_ADMIN_EMAIL", "").lower()
        self._password_hash = os.environ.get("WIKI_ADMIN_PASSWORD_HASH", "")
        if bool(self.email) != bool(self._password_hash):
            raise ValueError("set both WIKI_ADMIN_EMAIL and WIKI_ADMIN_PASSWORD_HASH, or none of them")
        if self.email and "@" not in self.email:
            raise ValueError("WIKI_ADMIN_EMAIL is not an e-mail address; write it as admin@example.com")
        if self._password_hash and not PASSWORD_HASH.fullmatch(self._password_hash):
            raise ValueError(
                "WIKI_ADMIN_PASSWORD_HASH is not a hash of werkzeug.security.generate_password_hash; create one with it"
            )
        self._file = data / "administrator"
        self._digest = sha256(f"{self.email} {self._password_hash}".encode()).hexdigest()

    def is_applied(self) -> bool:
        """Return whether this administrator was created by an earlier start."""
        return not self.email or (self._file.exists() and self._file.read_text() == self._digest)

    def apply(self) -> None:
        """Create the account, or set its password."""
        from otterwiki.models import User  # noqa: PLC0415  (the import reads the environment)
        from otterwiki.server import app, db  # noqa: PLC0415

        with app.app_context():
            user = User.query.filter_by(email=self.email).first()
            if user is None:
                user = User(name="Administrator", email=self.email, first_seen=datetime.now(UTC))
            user.password_hash, user.last_seen = self._password_hash, datetime.now(UTC)
            user.is_admin = user.is_approved = user.email_confirmed = True
            db.session.add(user)
            db.session.commit()
        self._file.write_text(self._digest)


class McpReader(UserMixin):  # type: ignore[misc]  # flask_login has no types
    """The user of a request with the reader's token. It can read where approved users can read."""

    id = "mcp-reader"
    name = "MCP server"
    email = ""
    is_approved = is_mcp_reader = True
    is_admin = allow_read = allow_write = allow_upload = False


def add_reader(app: Flask, token_hash: str, endpoints: frozenset[str]) -> None:
    """Let requests with the reader's token read pages.

    Args:
        app: Otterwiki's application.
        token_hash: the SHA-256 of the token, in hexadecimal digits.
        endpoints: the endpoints that the reader can ask.
    """
    manager: LoginManager = app.login_manager  # type: ignore[attr-defined]  # flask_login adds it

    def load_reader(incoming: Request) -> McpReader | None:
        scheme, _, token = incoming.headers.get("Authorization", "").partition(" ")
        is_reader = hmac.compare_digest(sha256(token.encode()).hexdigest(), token_hash)
        return McpReader() if scheme.lower() == "bearer" and is_reader else None

    def limit_reader() -> Response | None:
        is_read = request.method in {"GET", "HEAD"} and request.endpoint in endpoints and "edit" not in request.values
        if getattr(current_user, "is_mcp_reader", False) and not is_read:
            return Response("The reader's token can only read pages.\n", 403, content_type="text/plain")
        return None

    manager.request_loader(load_reader)
    app.before_request(limit_reader)


def explain_lost_password() -> Response | None:
    """Say on the login page how to get a new password, because a wiki without a mail server cannot send a link."""
    from otterwiki.helper import toast  # noqa: PLC0415  (the import reads the environment)
    from otterwiki.server import app  # noqa: PLC0415

    if request.endpoint != "lost_password" or app.config["MAIL_SERVER"]:
        return None
    toast("This wiki sends no mail. Ask an administrator of the wiki for a new password.", "warning")
    return redirect("/-/login")  # type: ignore[return-value]  # werkzeug's Response is Flask's here


class TokenFilter(logging.Filter):
    """Remove the tokens of confirmations and password resets from log records, also from tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; every record is logged."""
        record.msg, record.args = _LOGGED_TOKEN.sub("[token]", record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            text = logging.Formatter().formatException(record.exc_info)
            record.exc_text = _LOGGED_TOKEN.sub("[token]", text)
        return True
