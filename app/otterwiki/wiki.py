"""The wiki Lambda: Otterwiki behind an API Gateway HTTP API.

`handler` handles events in payload format 2.0; `app` is Otterwiki's Flask application. `WIKI_DATA_DIR` names the
directory with the data of the wiki (EFS on AWS). The first start creates a git repository and a database there, in one
instance at a time; later starts only import Otterwiki.

Otterwiki reads its settings from environment variables (https://otterwiki.com/Configuration), such as `SITE_NAME`,
`READ_ACCESS` and `SECRET_KEY`.
"""

import fcntl
import gzip
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from apig_wsgi import make_lambda_handler
from flask import Flask, Response, request
from sqlalchemy.exc import DatabaseError

READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SQLITE_BUSY_SECONDS = 20
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
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file, across processes and Lambda instances.

    EFS implements `flock` as an NFSv4 advisory lock, which ends with its process
    (https://docs.aws.amazon.com/efs/latest/ug/features.html).
    """
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def first_start(data: Path) -> Iterator[None]:
    """Create missing data in one process at a time. The block of this context manager imports Otterwiki.

    Otterwiki creates its tables and its first page during the import, so the first import of each Otterwiki version
    needs the lock too. Later starts do not wait for the lock.
    """
    ready, secret = data / f"ready-{version('otterwiki')}", data / "secret_key"
    try:
        if ready.exists() and secret.exists():
            yield
            return
        with locked(data / "start.lock"):
            make_repository(data / "repository")
            make_secret(secret)
            yield
            ready.touch()
    except OSError as error:
        refuse_data_directory(data, error)


def make_repository(repository: Path) -> None:
    """Create an empty git repository, unless it exists."""
    repository.mkdir(exist_ok=True)
    init = ["git", "init", "--quiet", "--initial-branch=main", str(repository)]
    completed = subprocess.run(init, capture_output=True, text=True, check=False)
    if completed.returncode:
        exit_with(f"git could not create the repository {repository}: {' '.join(completed.stderr.split())}")
    remove_stale_locks(repository)


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


def remove_stale_locks(repository: Path) -> None:
    """Remove git's lock files of a killed process. The caller must hold the lock that excludes other writers.

    Without this, no page could be saved after one Lambda time-out during a commit.
    """
    git = repository / ".git"
    for lock in (*git.glob("*.lock"), *git.glob("refs/heads/*.lock")):
        lock.unlink(missing_ok=True)


@contextmanager
def only_writer(data: Path) -> Iterator[None]:
    """Hold the write lock, because two commits at the same time would fail on git's index."""
    with locked(data / "write.lock"):
        remove_stale_locks(data / "repository")
        yield


DATA = data_directory()
app = import_otterwiki(DATA)
app.after_request(mark_files)
call_app = make_lambda_handler(app)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle one event in payload format 2.0.

    Args:
        event: an event of API Gateway with a decoded path
            (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
        context: the context of Lambda.

    Returns:
        A response in payload format 2.0; files are base64-encoded.
    """
    is_read = event["requestContext"]["http"]["method"] in READ_METHODS
    with nullcontext() if is_read else only_writer(DATA):
        response = call_app(adapt_event(event), context)
    if response["headers"].get("content-encoding") == "identity":
        del response["headers"]["content-encoding"]
    return response
