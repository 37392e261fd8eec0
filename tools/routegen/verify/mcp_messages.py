"""The JSON-RPC messages that `verify` sends to an MCP endpoint, and the parts of the endpoint's answers.

A client of MCP 2026-07-28 names its revision in the `_meta` of each message and repeats it in headers ("Transports",
"Streamable HTTP"); a client of an older revision starts with `initialize` ("Lifecycle").
"""

import json
from dataclasses import dataclass
from typing import Any

from routegen import __version__
from routegen.verify.answers import Answer, Failure, shown

MODERN = "2026-07-28"
"""The first revision without `initialize`; revisions are dates, so later ones are greater."""

OLDER = "2025-11-25"
"""The last revision with `initialize`, which `verify` asks for."""

HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022
MODERN_ERRORS = (HEADER_MISMATCH, -32021, UNSUPPORTED_VERSION)
"""The errors that only a server of 2026-07-28 sends with status 400 ("Versioning")."""

_CLIENT = {"name": "routegen verify", "version": __version__}


def _message(method: str, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


def _modern_message(method: str, revision: str = MODERN, **params: Any) -> bytes:
    prefix = "io.modelcontextprotocol/"
    values = {"protocolVersion": revision, "clientInfo": _CLIENT, "clientCapabilities": {}}
    return _message(method, _meta={f"{prefix}{name}": value for name, value in values.items()}, **params)


INITIALIZE = _message("initialize", protocolVersion=OLDER, capabilities={}, clientInfo=_CLIENT)
LIST_TOOLS = _message("tools/list")
DISCOVER = _modern_message("server/discover")
LISTEN = _modern_message("subscriptions/listen", notifications={"toolsListChanged": True})


def modern_headers(method: str) -> tuple[tuple[str, str], ...]:
    """The headers that MCP 2026-07-28 requires on each message ("Transports", "Streamable HTTP")."""
    return ("mcp-protocol-version", MODERN), ("mcp-method", method)


def result_of(answer: Answer | Failure) -> dict[str, Any] | None:
    """The result in an answer with status 200; None if the answer has none (JSON-RPC 2.0, section 5)."""
    result = answer.message.get("result") if isinstance(answer, Answer) and answer.status == 200 else None
    return result if isinstance(result, dict) else None


def error_of(answer: Answer | Failure) -> dict[str, Any]:
    """The JSON-RPC error in an answer; empty if there is none."""
    error = answer.message.get("error") if isinstance(answer, Answer) else None
    return error if isinstance(error, dict) else {}


def error_text(answer: Answer | Failure) -> str:
    """The message of the JSON-RPC error in an answer, in at most 200 characters."""
    return shown(error_of(answer).get("message", ""))


def is_message(answer: Answer) -> bool:
    """Whether an answer has a JSON-RPC message, or a stream that can still bring one."""
    has_message = not {"result", "error", "method"}.isdisjoint(answer.message)
    return has_message or answer.media_type == "text/event-stream"


def listed_revisions(answer: Answer | Failure) -> list[str]:
    """The revisions that an answer to `server/discover`, or the error -32022, lists."""
    error = error_of(answer)
    data = error.get("data") if error.get("code") == UNSUPPORTED_VERSION else None
    value = data.get("supported") if isinstance(data, dict) else (result_of(answer) or {}).get("supportedVersions")
    return [str(revision)[:20] for revision in value[:10]] if isinstance(value, list) else []


def is_modern_answer(answer: Answer | Failure) -> bool:
    """Whether an answer to `server/discover` shows a server of 2026-07-28 ("Versioning", era detection)."""
    has_error = isinstance(answer, Answer) and answer.status == 400 and error_of(answer).get("code") in MODERN_ERRORS
    return has_error or bool(listed_revisions(answer))


@dataclass(frozen=True)
class EraAnswers:
    """The answers to `server/discover` and to `initialize`, with the user's token if there is one."""

    modern: Answer | Failure
    older: Answer | Failure

    @property
    def modern_revisions(self) -> list[str]:
        """The revisions of clients that ask `server/discover`."""
        listed = [revision for revision in listed_revisions(self.modern) if revision >= MODERN]
        return listed or ([MODERN] if is_modern_answer(self.modern) else [])

    @property
    def older_revision(self) -> str | None:
        """The revision with which the endpoint answers `initialize`; None if it does not."""
        version = (result_of(self.older) or {}).get("protocolVersion")
        return version[:20] if isinstance(version, str) else None

    @property
    def needs_token(self) -> bool:
        """Whether only a client with a token can tell the revisions."""
        return all(isinstance(answer, Answer) and answer.status in {401, 403} for answer in (self.modern, self.older))

    @property
    def is_modern_only(self) -> bool:
        """Whether the endpoint does not answer `initialize`."""
        return bool(self.modern_revisions) and self.older_revision is None

    @property
    def details(self) -> dict[str, Any]:
        """The revisions as JSON."""
        return {"modern": self.modern_revisions, "older": self.older_revision, "needs_token": self.needs_token}

    @property
    def description(self) -> str:
        """The revisions in words."""
        if self.needs_token:
            return "not known without a token (ROUTEGEN_TOKEN)"
        parts = [f"{revision} (server/discover)" for revision in self.modern_revisions]
        parts += [f"{self.older_revision} (initialize)"] if self.older_revision else []
        return ", ".join(parts) or "none: neither server/discover nor initialize has a result"
