"""The wiki Lambda: Otterwiki behind an API Gateway HTTP API.

`handler` handles events in payload format 2.0; `app` is Otterwiki's Flask application. `WIKI_DATA_DIR` names the
directory with the data of the wiki (EFS on AWS). The first start creates a git repository and a database there, in one
instance at a time; later starts only import Otterwiki.

Otterwiki reads its settings from environment variables (https://otterwiki.com/Configuration), such as `SITE_NAME`,
`READ_ACCESS` and `SECRET_KEY`.
"""

import gzip
import logging
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import regex
from apig_wsgi import make_lambda_handler
from flask import Flask, Response, request
from page_repository import PageRepository, RepositoryBusyError, hold
from sqlalchemy.exc import DatabaseError
from wiki_accounts import TOKEN_HASH, Administrator, TokenFilter, add_reader, explain_lost_password

SQLITE_BUSY_SECONDS = 10
START_SECONDS = 60  # the first start of each version of Otterwiki, in one instance at a time
BUSY_SECONDS = 8  # of the 29 s that the function has
RETRY_AFTER_SECONDS = 2
READ_ATTEMPTS = 3  # without a lock
PATTERN_SECONDS = 4  # Otterwiki allows 5 s for each line, and answers 500 after them
TEXT_SECONDS = 20
LARGEST_FILE_BYTES = 4_000_000  # a Lambda response has at most 6 MB, and base64 makes 4 bytes of 3
SHORTEST_SECRET = 16  # characters; Otterwiki refuses a shorter secret


def exit_with(problem: str) -> NoReturn:
    """Exit with code 1 and one line on stderr.

    Args:
        problem: the problem, its place, and the solution.
    """
    raise SystemExit(f"wiki: {problem}")


def data_directory() -> Path:
    """Return the directory that `WIKI_DATA_DIR` names; create it if it is missing."""
    name = os.environ.get("WIKI_DATA_DIR", "")
    if not name:
        exit_with("WIKI_DATA_DIR is not set; set it to the directory of the wiki's data, e.g. /mnt/wiki")
    data = Path(name).expanduser().resolve()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        refuse_data_directory(data, error)
    return data


def refuse_data_directory(data: Path, error: OSError) -> NoReturn:
    """Exit because the data directory cannot be used."""
    path = error.filename or data
    exit_with(f"{path}: {error.strerror}; WIKI_DATA_DIR must name a directory that this process can write to")


@contextmanager
def first_start(data: Path) -> Iterator[None]:
    """Create missing data in one process at a time. The block of this context manager imports Otterwiki.

    Otterwiki creates its tables and its first page during the import, so the first import of each Otterwiki version
    needs the locks too. Later starts do not wait for them.
    """
    ready, secret = data / f"ready-{version('otterwiki')}", data / "secret_key"
    try:
        administrator = Administrator(data)

        def is_complete() -> bool:
            return ready.exists() and secret.exists() and administrator.is_applied()

        with ExitStack() as stack:
            if not is_complete():
                stack.enter_context(hold(data / "start.lock", time.monotonic() + START_SECONDS))
            if is_complete():
                stack.close()
                yield
                return
            finish = stack.enter_context(pages.writing(START_SECONDS))
            make_repository(data / "repository")
            make_secret(secret)
            yield
            if not administrator.is_applied():
                administrator.apply()
            ready.touch()
            finish()
    except OSError as error:
        refuse_data_directory(data, error)
    except ValueError as error:
        exit_with(str(error))
    except RepositoryBusyError:
        exit_with(f"another process has held a lock in {data} for {START_SECONDS} s; end it, and start again")


def make_repository(repository: Path) -> None:
    """Create an empty git repository, unless it exists."""
    repository.mkdir(exist_ok=True)
    init = ["git", "init", "--quiet", "--initial-branch=main", str(repository)]
    completed = subprocess.run(init, capture_output=True, text=True, check=False)
    if completed.returncode:
        exit_with(f"git could not create the repository {repository}: {' '.join(completed.stderr.split())}")


def make_secret(path: Path) -> None:
    """Create a secret that only its owner can read, unless it exists."""
    if path.exists():
        return
    temporary = path.with_suffix(".part")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    temporary.replace(path)


def secret_key(path: Path) -> str:
    """Return the key that signs session cookies, from the environment or from the data directory."""
    configured = os.environ.get("SECRET_KEY")
    secret = path.read_text() if configured is None else configured
    if len(secret) < SHORTEST_SECRET:
        source = path if configured is None else "the environment variable SECRET_KEY"
        exit_with(f"the secret in {source} is shorter than {SHORTEST_SECRET} characters; remove it to get a new one")
    return secret


def git_environment(repository: Path) -> dict[str, str]:
    """Return the environment variables that configure git, which needs no home directory then.

    An EFS access point gives files its own user id. Git refuses a repository of another user unless `safe.directory`
    names it (https://git-scm.com/docs/git-config).
    """
    return {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": str(repository),
        "GIT_COMMITTER_NAME": "Otterwiki",
        "GIT_COMMITTER_EMAIL": "noreply@otterwiki",
        "GIT_OPTIONAL_LOCKS": "0",  # so that only writers, one at a time, leave a lock file
    }


def otterwiki_environment(data: Path) -> dict[str, str]:
    """Return Otterwiki's settings for this data directory."""
    return {
        # Without a mail server, no user could ever confirm an address. A setting in the environment has precedence.
        "EMAIL_NEEDS_CONFIRMATION": os.environ.get(
            "EMAIL_NEEDS_CONFIRMATION", str(bool(os.environ.get("MAIL_SERVER")))
        ),
        "REPOSITORY": str(data / "repository"),
        # SQLite's default journal: WAL needs shared memory, which NFS does not have (https://www.sqlite.org/wal.html).
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{data}/wiki.sqlite?timeout={SQLITE_BUSY_SECONDS}",
    }


def import_otterwiki(data: Path) -> Flask:
    """Import Otterwiki's application with its data directory.

    Raises:
        SystemExit: git, the directory, the secret or the database cannot be used.
    """
    if shutil.which("git") is None:
        exit_with(
            "Otterwiki needs the git executable, which is not on PATH; install git (on Amazon Linux:"
            " dnf install git-core) or deploy the image of app/otterwiki/Dockerfile"
        )
    os.environ.update(git_environment(data / "repository") | otterwiki_environment(data))
    with first_start(data):
        os.environ["SECRET_KEY"] = secret_key(data / "secret_key")
        try:
            from otterwiki.server import app as otterwiki_app  # noqa: PLC0415  (it reads the environment during the import)
        except DatabaseError as error:
            exit_with(f"the database {data}/wiki.sqlite cannot be used: {error.orig}")
    application: Flask = otterwiki_app
    return application


def mark_files(response: Response) -> Response:
    """Mark the response of a file as bytes for apig-wsgi, which would decode every `text/*` as UTF-8."""
    if response.direct_passthrough:
        if response.status_code == 200:  # the ranges of a 206 refer to the uncompressed file
            compress_large_file(response)
        response.headers.setdefault("Content-Encoding", "identity")
    return response


def compress_large_file(response: Response) -> None:
    """Compress a text or script that is too large for a Lambda response, if the client accepts gzip.

    Otterwiki's Mermaid script is such a file. The entity tag becomes weak (RFC 9110, section 8.8.1); a conditional
    request of a browser still matches it.
    """
    media_type = response.mimetype or ""
    compressible = media_type.startswith("text/") or media_type == "application/javascript"
    if (response.content_length or 0) <= LARGEST_FILE_BYTES or not compressible or not request.accept_encodings["gzip"]:
        return
    response.direct_passthrough = False
    response.set_data(gzip.compress(response.get_data(), compresslevel=6, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    etag, _ = response.get_etag()
    if etag:
        response.set_etag(etag, weak=True)


def adapt_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event in the form that apig-wsgi expects: `rawPath` percent-encoded, `rawQueryString` present.

    API Gateway decodes `rawPath`, and apig-wsgi decodes it a second time, as Latin-1. Without the encoding here, page
    names with an umlaut or a percent sign would be wrong.
    """
    return {"rawQueryString": "", **event, "rawPath": quote(event["rawPath"])}


# The endpoints of Otterwiki that never change the repository, with any method. Those of the second set read no page, or
# they change the database or have a time limit, so they must run once.
READERS = frozenset({
    "about", "blame", "changelog", "changelog_feed_atom", "changelog_feed_rss", "create", "diff", "edit",
    "get_attachment", "get_attachment_thumbnail", "help", "history", "index", "pageindex", "pageview", "preview",
    "show_commit", "sitemap", "source", "syntax", "view"
})  # fmt: skip
UNRELATED = frozenset({
    "admin", "admin_content_and_editing", "admin_mail_preferences", "admin_permissions_and_registration",
    "admin_sidebar_preferences", "admin_user_management", "confirm_email", "discard_draft", "dotgit", "draft",
    "favicon", "git_info_refs", "git_upload_pack", "healthz", "login", "logout", "lost_password",
    "plugin_static_css", "recover_password", "register", "request_confirmation_link", "robotstxt", "search",
    "security_check", "settings", "static", "user", "webmanifest", "well_known_change_password"
})  # fmt: skip
# The endpoints that change the repository if the user has a permission for it, and not with the methods of reading.
WRITERS = frozenset({
    "admin_repository_management", "attachments", "delete", "edit_attachment", "git_receive_pack", "housekeeping",
    "inline_attachment", "plugin_url_admin_request", "plugin_url_request", "pull_webhook", "rename", "revert",
    "save"
})  # fmt: skip
READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass
class RequestAccess:
    """The access of one request to the repository.

    Attributes:
        is_locking: whether a reader holds the write lock, because it has read several times during a change.
        deadline: the end of waiting for other requests, on the monotonic clock.
        locks: locks and timers that end with the request.
        finish: the function to call after a writer has succeeded.
        version: the version that a reader has read.
    """

    is_locking: bool
    deadline: float
    locks: ExitStack = field(default_factory=ExitStack)
    finish: Callable[[], None] | None = None
    version: int | None = None

    def end(self, status: int) -> bool:
        """Return whether the response is complete: no other request has changed the pages that a reader has read."""
        if self.finish and status < 500:
            self.finish()
        return self.version is None or pages.version() == self.version


class SearchStopped(BaseException):
    """A search has reached its time limit. It is no `Exception`, because Otterwiki handles each of those."""


def stop_search(*_signal: object) -> NoReturn:
    """End the search; the handler of the timer's signal."""
    raise SearchStopped


def can_write() -> bool:
    """Return whether the current request can change the repository. An endpoint that is not known here can.

    A client without a permission to write must not take the lock, because many such requests would stop all saving.
    """
    if request.endpoint is None or request.endpoint in READERS | UNRELATED:
        return False
    if request.endpoint not in WRITERS:
        return True
    if request.method in READ_METHODS and request.endpoint != "pull_webhook":
        return False
    user, credentials = current_user, request.authorization
    if request.endpoint == "git_receive_pack" and credentials and app.config["GIT_WEB_SERVER"]:
        user = check_credentials(credentials.username, credentials.password) or user
    return any(has_permission(permission, user) for permission in ("WRITE", "UPLOAD", "ADMIN"))


def coordinate() -> Response | None:
    """Prepare the access of the current request to the repository, before Otterwiki handles it."""
    access = ACCESS.get()
    if access is None:  # another WSGI server
        return None
    seconds = access.deadline - time.monotonic()
    try:
        if can_write():
            access.finish = access.locks.enter_context(pages.writing(seconds))
        elif request.endpoint == "search":
            signal.signal(signal.SIGALRM, stop_search)
            access.locks.callback(signal.setitimer, signal.ITIMER_REAL, 0)
            signal.setitimer(signal.ITIMER_REAL, PATTERN_SECONDS if "is_regexp" in request.form else TEXT_SECONDS)
        elif request.endpoint not in UNRELATED:
            if access.is_locking:
                access.locks.enter_context(pages.locked(seconds))
            else:
                access.version = pages.wait_for_version(seconds)
    except RepositoryBusyError:
        text = "The wiki is busy with another change. Nothing was saved. Try again in some seconds.\n"
        return Response(text, 503, {"Retry-After": str(RETRY_AFTER_SECONDS)}, content_type="text/plain; charset=utf-8")
    return None


DATA = data_directory()
pages = PageRepository(DATA)
app = import_otterwiki(DATA)
from flask_login import current_user  # noqa: E402
from otterwiki.auth import check_credentials, has_permission  # noqa: E402  (Otterwiki must be imported by `first_start`)

# Otterwiki names this exception for a pattern that is too slow, and the package has it only as the built-in one.
vars(regex).setdefault("TimeoutError", TimeoutError)
if token_hash := os.environ.get("WIKI_READER_TOKEN_HASH"):
    if not TOKEN_HASH.fullmatch(token_hash):
        exit_with("WIKI_READER_TOKEN_HASH is not a SHA-256 of 64 hexadecimal digits; write the hash of the token")
    add_reader(app, token_hash, READERS | {"search"})
for logger in (app.logger, logging.getLogger("werkzeug")):
    logger.addFilter(TokenFilter())
app.before_request(explain_lost_password)
app.before_request(coordinate)
app.after_request(mark_files)
call_app = make_lambda_handler(app)
ACCESS: ContextVar[RequestAccess | None] = ContextVar("ACCESS", default=None)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle one event in payload format 2.0.

    Args:
        event: an event of API Gateway with a decoded path
            (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
        context: the context of Lambda.

    Returns:
        A response in payload format 2.0; files are base64-encoded.
    """
    adapted, deadline = adapt_event(event), time.monotonic() + BUSY_SECONDS
    for attempt in range(READ_ATTEMPTS + 1):
        access = RequestAccess(attempt == READ_ATTEMPTS, deadline)
        with access.locks:
            response = call_with_access(access, adapted, context)
            if access.end(response["statusCode"]):
                break
    if response["headers"].get("content-encoding") == "identity":
        del response["headers"]["content-encoding"]
    return response


def call_with_access(access: RequestAccess, event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Call the application; `coordinate` gets the access."""
    token = ACCESS.set(access)
    try:
        response: dict[str, Any] = call_app(event, context)
    except SearchStopped:
        text = "The search took too long and was stopped. Search for a plain text, or for a simpler pattern.\n"
        headers = {"content-type": "text/plain; charset=utf-8"}
        response = {"statusCode": 503, "headers": headers, "cookies": [], "body": text, "isBase64Encoded": False}
    finally:
        ACCESS.reset(token)
    return response
