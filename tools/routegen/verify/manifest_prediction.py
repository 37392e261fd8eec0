"""What each client will meet, by the manifest alone: before anything is deployed.

In: a manifest. Out: a `Report` over the four ways in which a deployment of it may answer: the app behind $default has
no page for a path (404) or has one for every path (200), and the gateway keeps the challenge's name or changes it. The
manifest says where a document is and not what is in it, so each document is taken to be right.
"""

import json
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from routegen.errors import ConfigError
from routegen.gateway import ANY
from routegen.manifest import Manifest, Role, Route
from routegen.manifest.explain import Explainer
from routegen.report import Finding, Report, Section, rules
from routegen.roles import PROTECTED_RESOURCE
from routegen.verify.answers import Answer, Failure
from routegen.verify.clients import CLIENTS, McpClient, Prediction, predict
from routegen.verify.oauth_discovery import RENAMED, walk
from routegen.verify.verification import (
    COMMAND,
    findings,
    prediction_details,
    predictions_section,
    sorted_findings,
    with_clients,
)

ORIGIN = "https://deployment.example"
SERVER = "https://authorization-server.example"

CatchAll = Literal[404, 200]
ChallengeHeader = Literal["kept", "renamed"]

_OAUTH: frozenset[Role] = frozenset({
    "protected-resource-metadata", "authorization-server-metadata", "openid-configuration", "authorization-endpoint",
    "token-endpoint", "registration-endpoint",
})  # fmt: skip
_PAGE = b"<!DOCTYPE html><html><head><title>A page</title></head><body>A page</body></html>"


@dataclass(frozen=True)
class Scenario:
    """One way in which a deployment may answer."""

    catch_all: CatchAll
    header: ChallengeHeader

    @property
    def title(self) -> str:
        """In words."""
        return f"If other paths answer {self.catch_all} and the challenge's header is {self.header}"


SCENARIOS = tuple(Scenario(catch_all, header) for catch_all in (404, 200) for header in ("kept", "renamed"))


def mcp_path(manifest: Manifest, source: str) -> str:
    """The MCP endpoint's path.

    Args:
        manifest: where to look.
        source: what the error calls it.

    Raises:
        ConfigError: it has none.
    """
    found = [route for route in manifest.routes if route.role == "mcp-endpoint" and "{" not in route.path]
    posted = [route for route in found if {"POST", ANY}.intersection(route.methods)]
    # Beside the older transport's pair of endpoints, the one that clients try first.
    posted.sort(key=lambda route: "SSE" in (route.spec or ""))
    if not posted:
        raise ConfigError(f"{source}: no route has the role mcp-endpoint and takes POST, so no client could connect")
    return posted[0].path


def foresee(manifest: Manifest, source: str, clients: tuple[McpClient, ...] = CLIENTS) -> Report:
    """The prediction for each client in each scenario, with the findings that the manifest allows.

    Args:
        manifest: what will be deployed.
        source: what the report calls it.
        clients: the clients to predict.

    Raises:
        ConfigError: the manifest has no MCP endpoint.
    """
    path = mcp_path(manifest, source)
    found: list[Finding] = []
    sections: list[Section] = []
    details: list[dict[str, Any]] = []
    for scenario in SCENARIOS:
        answers = ManifestAnswers(manifest, path, scenario)
        predictions = [_short(predict(client, ORIGIN + path, answers)) for client in clients]
        of_chain = sorted_findings(list(findings(walk(answers, ORIGIN + path), answers)))
        found += with_clients(of_chain, predictions)
        sections.append(predictions_section(predictions, scenario.title))
        shown = [prediction_details(prediction) for prediction in predictions]
        details.append({"catch_all": scenario.catch_all, "header": scenario.header, "clients": shown})
    return Report(
        command=COMMAND,
        subject=source,
        rules=rules.VERIFY_RULES,
        findings=sorted_findings([_relative(finding) for finding in found]),
        sections=tuple(sections),
        details={"scenarios": details},
    )


class ManifestAnswers:
    """What a deployment of a manifest would answer; for nothing else than the MCP server and its clients."""

    def __init__(self, manifest: Manifest, path: str, scenario: Scenario) -> None:
        """Take what decides the answers; `path` is the MCP endpoint's."""
        self._explainer = Explainer(manifest)
        self._routes = manifest.routes
        self._path = path
        self._scenario = scenario
        roles = {route.role: route.path for route in manifest.routes}
        own = {"authorization-endpoint", "token-endpoint"} <= roles.keys()
        self._open = not _OAUTH.intersection(roles)
        self._server = ORIGIN if own else SERVER
        self._metadata = _own_metadata(roles) if own else _other_metadata()

    def get(self, method: str, url: str) -> Answer | Failure:
        """The answer to a request."""
        parts = urlsplit(url)
        origin, path = f"{parts.scheme}://{parts.netloc}", parts.path or "/"
        if origin == SERVER and method in {"GET", "HEAD", "OPTIONS"}:
            known = path.startswith("/.well-known/o")
            return _json(method, url, 200 if known else 405, self._metadata if known else {})
        if origin != ORIGIN or (method == "POST" and path != self._path):
            return Failure(method, url, "not-asked", "the manifest doesn't say")
        found = self._explainer.explain(method, path)
        route = next((one for one in self._routes if found.route_key in one.route_keys), None)
        if route is None:
            return Answer(method, url, self._scenario.catch_all, (("content-type", "text/html"),), _PAGE)
        if ANY not in route.methods and method not in route.methods:
            return _json(method, url, 405, {"error": "method_not_allowed"})
        return self._routed(method, url, route)

    def _routed(self, method: str, url: str, route: Route) -> Answer:
        match route.role:
            case "mcp-endpoint":
                return self._endpoint(method, url)
            case "protected-resource-metadata":
                about = route.path.removeprefix(PROTECTED_RESOURCE) or self._path
                return _json(method, url, 200, {"resource": ORIGIN + about, "authorization_servers": [self._server]})
            case "authorization-server-metadata" | "openid-configuration":
                return _json(method, url, 200, self._metadata)
            case "authorization-endpoint" | "token-endpoint" | "registration-endpoint":
                return _json(method, url, 400, {"error": "invalid_request"})
        return _json(method, url, 404, {"error": "not_found"})

    def _endpoint(self, method: str, url: str) -> Answer:
        if self._open:
            return _json(method, url, 200, {"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-06-18"}})
        documents = [route.path for route in self._routes if route.role == "protected-resource-metadata"]
        documents.sort(key=lambda path: path != PROTECTED_RESOURCE + self._path)
        said = f'Bearer resource_metadata="{ORIGIN}{documents[0]}"' if documents else "Bearer"
        name = "www-authenticate" if self._scenario.header == "kept" else RENAMED
        return _json(method, url, 401, {"error": "invalid_token"}, (name, said))


def _own_metadata(roles: dict[Role, str]) -> dict[str, Any]:
    named: dict[Role, str] = {
        "authorization-endpoint": "authorization_endpoint",
        "token-endpoint": "token_endpoint",
        "registration-endpoint": "registration_endpoint",
    }
    said = {field: ORIGIN + roles[role] for role, field in named.items() if role in roles}
    return _metadata(ORIGIN, said)


def _other_metadata() -> dict[str, Any]:
    return _metadata(
        SERVER, {f"{name}_endpoint": f"{SERVER}/{name}" for name in ("authorization", "token", "registration")}
    )


def _metadata(issuer: str, endpoints: dict[str, str]) -> dict[str, Any]:
    return {
        "issuer": issuer,
        **endpoints,
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
    }


def _json(method: str, url: str, status: int, value: dict[str, Any], *headers: tuple[str, str]) -> Answer:
    body = b"" if method == "HEAD" else json.dumps(value).encode()
    return Answer(method, url, status, (("content-type", "application/json"), *headers), body)


def _short(prediction: Prediction) -> Prediction:
    """Paths without an origin that doesn't exist; an error stays as its user would see it."""
    return replace(prediction, reason=prediction.reason.replace(f"{ORIGIN}/", "/"))


def _relative(finding: Finding) -> Finding:
    texts = {name: getattr(finding, name).replace(ORIGIN, "") for name in ("subject", "message", "fix")}
    return replace(finding, **texts)
