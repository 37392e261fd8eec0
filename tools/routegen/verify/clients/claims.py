"""Dated knowledge about MCP clients: each statement, the versions and the source that it comes from, and its dates.

This table is the only place for it. The predictions name the claims that they rely on; after the review date of a
claim, they are `unknown`. `recorded` claims come from runs of the client and from its sources, `documented` claims from
the vendor, and `reported` claims from users and server developers.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

_Kind = Literal["recorded", "documented", "reported"]


@dataclass(frozen=True)
class Claim:
    """A statement about clients, true for the given versions at the given date.

    Attributes:
        id: a short name.
        kind: how well the statement is known.
        clients: the ids of the clients.
        version: the versions that the statement was made about.
        statement: the statement, in one sentence without its final stop.
        source: the document, the sources or the report.
        source_date: the day of the source, or the day on which it was read.
        review: the day from which the statement has to be checked again.
    """

    id: str
    kind: _Kind
    clients: tuple[str, ...]
    version: str
    statement: str
    source: str
    source_date: date
    review: date


_RUNS = "runs of `python -m dev.client_lab` in 145 recorded cases; the sources of the client"
_CLAUDE = "claude.com/docs/connectors/building"
_OPENAI = "developers.openai.com, apps-sdk/build/auth"
_VSCODE = "microsoft/vscode, oauth.ts and extHostMcp.ts"
_RMCP = "modelcontextprotocol/rust-sdk 4a738b9, auth.rs"
_NOW = "2026-11-26"

_RECORDED = "sends the recorded requests, and registers without a metadata document"
_RECORDED_VERSIONS: tuple[tuple[str, str], ...] = (
    ("python-sdk", "fastmcp 4.2.3 on mcp 2.3.0"),
    ("typescript-v1", "@modelcontextprotocol/sdk 1.32.2"),
    ("typescript-v2", "@modelcontextprotocol/client 2.4.0"),
    ("mcp-remote", "mcp-remote 0.15.1"),
    ("inspector", "@modelcontextprotocol/inspector 2.12.0"),
)

# id, kind, clients, version, statement, source, date. The review of a recorded claim is after six months, that of
# another claim after three months: hosted clients change without a version.
_Row = tuple[str, _Kind, str, str, str, str, str]
_ROWS: tuple[_Row, ...] = (
    *((client, "recorded", client, version, _RECORDED, _RUNS, _NOW) for client, version in _RECORDED_VERSIONS),
    ("claude-ai", "documented", "claude-ai", "as documented in 2026",
     "starts the sign-in at a 401, and reads the resource metadata that the challenge names", _CLAUDE, _NOW),
    ("claude-resource", "documented", "claude-ai", "as documented in 2026",
     "requires that `resource` is the URL as the user entered it, path included", f"{_CLAUDE}; #199", _NOW),
    ("claude-403", "documented", "claude-ai", "as documented in 2026",
     "starts no sign-in at a 403, except `insufficient_scope`", f"{_CLAUDE}; vault-cortex#121", _NOW),
    ("claude-cimd", "documented", "claude-ai", "as documented in 2026",
     "uses its metadata document only if the server also lists `none`, and registers if it does not",
     f"{_CLAUDE}; keycloak#49730, fastmcp#4205, lion-reader#1519", _NOW),
    ("claude-basic", "reported", "claude-ai", "April 2026",
     "failed to register at a server that did not list `client_secret_basic`", "claude-ai-mcp#200", "2026-04-21"),
    ("claude-open", "documented", "claude-ai", "as documented in 2026",
     "connects without a sign-in if the well-known paths answer 404; several reports say that it did not",
     f"{_CLAUDE}; claude-ai-mcp#262 (open)", _NOW),
    ("claude-open-page", "reported", "claude-ai", "July to September 2026",
     "takes a page with status 200 at a well-known path for a sign-in service, and fails to register there",
     "wetterdienst#1772; claude-ai-mcp#457", "2026-09-22"),
    ("claude-open-server", "reported", "claude-ai", "August 2026",
     "starts a sign-in at an open server if the origin publishes authorization server metadata",
     "claude-ai-mcp#925 (open); postiz-app#1781", "2026-08-26"),
    ("claude-metadata-401", "reported", "claude-ai", "May 2026",
     "loads no tools if the resource metadata asks for a token", "obsidian-web-mcp#18, #33", "2026-06-07"),
    ("claude-no-challenge", "documented", "claude-ai", "February 2026",
     "registers at the origin of the MCP endpoint if there is no metadata anywhere", "claude-ai-mcp, announcement",
     "2026-02-06"),
    ("claude-port", "documented", "claude-ai", "August 2026",
     "connects only to port 443 with https", "claude-ai-mcp#85, #444, #521, #958", "2026-08-30"),
    ("claude-code", "documented", "claude-code", "2.1.232",
     "takes 401 and 403 for a required sign-in, and asks for the resource metadata and then the server's metadata",
     "code.claude.com/docs/en/mcp", _NOW),
    ("claude-code-cimd", "documented", "claude-code", "2.1.81",
     "uses its metadata document where the server announces support", "changelog; claude-code#36861", "2026-03-20"),
    ("claude-code-5xx", "reported", "claude-code", "2.1.70",
     "gives up at a server error of a well-known path", "happy#818; claude-code-ide.el#180", "2026-03-06"),
    ("chatgpt", "documented", "chatgpt", "as documented in 2026",
     "reads the resource metadata, and uses a metadata document, registration, or a predefined client", _OPENAI, _NOW),
    ("chatgpt-s256", "documented", "chatgpt", "as documented in 2026",
     "refuses a server without S256 in code_challenge_methods_supported", _OPENAI, _NOW),
    ("chatgpt-host", "reported", "chatgpt", "February 2026",
     "looked for the authorization server metadata at the MCP host, and at no other", "adcp#1081", "2026-02-16"),
    ("vscode", "documented", "vscode", "sources of 2025-12 and later",
     "starts the sign-in at 401 or 403, and tries the next place after anything that is not JSON", _VSCODE, _NOW),
    ("vscode-resource", "documented", "vscode", "sources of 2025-12 and later",
     "requires that `resource` is the server's URL, with the same final slash", f"{_VSCODE}; vscode#259251", _NOW),
    ("cursor", "reported", "cursor", "August 2026",
     "asks for both resource metadata paths, then for the server metadata at the root, and registers",
     "gamedevpl#483 (logs)", "2026-08-03"),
    ("github-copilot", "documented", "github-copilot", "cloud agent, as documented in 2026",
     "uses tools only, and no remote server that requires OAuth", "github/docs, limits of MCP", _NOW),
    ("goose", "documented", "goose", "rmcp 4a738b9 of 2026-08-20",
     "takes any 200 for the resource metadata, and gives up at 5xx, 408, 425 and 429", _RMCP, "2026-08-20"),
    ("goose-cimd", "documented", "goose", "June 2026",
     "uses its metadata document where the server announces support, without another way", "goose#9670", "2026-06-08"),
    ("modern-only", "reported", "claude-ai claude-code chatgpt vscode cursor github-copilot goose", "September 2026",
     "reports contradict each other on which of these clients speak 2026-07-28",
     "laravel/mcp#341; typo3-mcp-server#110; macuse-mcp#5", "2026-09-11"),
)  # fmt: skip


_REVIEWS: dict[_Kind, str] = {"recorded": "2027-05-26", "documented": "2027-02-26", "reported": "2027-02-26"}

CLAIMS: dict[str, Claim] = {
    claim_id: Claim(
        claim_id, kind, tuple(clients.split()), version, statement, source, date.fromisoformat(day),
        date.fromisoformat(_REVIEWS[kind]),
    )
    for claim_id, kind, clients, version, statement, source, day in _ROWS
}  # fmt: skip
"""Every claim by its id. The first claim of a client has the id of the client."""

CLIENT_IDS = tuple(dict.fromkeys(client for claim in CLAIMS.values() for client in claim.clients))


def clients_by_registration(*, with_key: bool) -> tuple[list[str], list[str]]:
    """The clients that use a client ID metadata document, and those that do not, as far as it is known.

    Args:
        with_key: whether the server requires a key of each client (`private_key_jwt`).
    """
    can = ["chatgpt"] if with_key else ["claude-ai", "claude-code", "chatgpt", "goose"]
    return can, [client for client in CLIENT_IDS if CLAIMS[client].kind == "recorded"]
