"""Predict from a manifest, before any deployment, what each client will meet.

The manifest does not say how the default app answers an unknown path (404, or a page with status 200), nor whether the
gateway renames the challenge header. The report therefore has four scenarios; it has two if no app gets the unknown
paths, because the gateway then answers 404. The manifest has the paths of documents but not their content, so each
document is assumed to be correct.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from itertools import product
from typing import Any, Literal
from urllib.parse import urlsplit

from routegen.gateway import ANY, takes_every_path
from routegen.manifest import Manifest, Role, Route
from routegen.manifest.explain import Explainer
from routegen.report import Finding, Report, Section, rules
from routegen.roles import PROTECTED_RESOURCE, mcp_endpoint_paths
from routegen.verify.answers import SAFE_METHODS, Answer, Failure
from routegen.verify.clients import CLIENTS, McpClient, predict
from routegen.verify.oauth_discovery import RENAMED_HEADER, discover
from routegen.verify.verification import (
    COMMAND,
    add_client_findings,
    change_texts,
    prediction_details,
    predictions_section,
    sign_in_findings,
    sorted_findings,
)

_ORIGIN = "https://deployment.example"
_OTHER_SERVER = "https://authorization-server.example"
_ENDPOINT_FIELDS: dict[Role, str] = {
    "authorization-endpoint": "authorization_endpoint",
    "token-endpoint": "token_endpoint",
    "registration-endpoint": "registration_endpoint",
}
_OAUTH_ROLES: frozenset[Role] = frozenset({
    "protected-resource-metadata", "authorization-server-metadata", "openid-configuration", "misplaced-metadata",
    *_ENDPOINT_FIELDS,
})  # fmt: skip
_PAGE = b"<!DOCTYPE html><html><head><title>A page</title></head><body>A page</body></html>"

_Reply = tuple[int, dict[str, Any]]
"""The status and the JSON object of an answer."""


@dataclass(frozen=True)
class Scenario:
    """One way to answer: the status of the default app for unknown paths, and the name of the challenge header."""

    catch_all: Literal[404, 200]
    challenge_header: Literal["kept", "renamed"]

    @property
    def title(self) -> str:
        """The heading of the scenario in a report."""
        return f"If other paths answer {self.catch_all} and the challenge header is {self.challenge_header}"


SCENARIOS = (Scenario(404, "kept"), Scenario(404, "renamed"), Scenario(200, "kept"), Scenario(200, "renamed"))
"""The scenarios of a manifest with a default app."""


def _is_for_other_paths(route: Route) -> bool:
    """Whether a route takes every path that no other route names, and is no MCP endpoint itself."""
    return takes_every_path(route.path) and route.role != "mcp-endpoint"


def predict_from_manifest(
    manifest: Manifest, source: str, clients: tuple[McpClient, ...] = CLIENTS, today: date | None = None
) -> Report:
    """Predict each client in each scenario, and report the findings that the manifest shows.

    Args:
        manifest: the manifest to deploy.
        source: the name of the manifest in the report.
        clients: the clients to predict.
        today: the day for the review dates of what is known of the clients; None for none.
    """
    paths = mcp_endpoint_paths(manifest.routes)
    findings = [*_missing_endpoint(manifest, source), *_misplaced_metadata(manifest)]
    sections: list[Section] = []
    details: list[dict[str, Any]] = []
    has_other_paths = manifest.default or any(map(_is_for_other_paths, manifest.routes))
    # Without an app for all other paths, the gateway answers 404.
    scenarios = [scenario for scenario in SCENARIOS if has_other_paths or scenario.catch_all == 404]
    for path, scenario in product(paths, scenarios):
        answers = _ManifestAnswers(manifest, path, scenario)
        predictions = [predict(client, _ORIGIN + path, answers, today=today) for client in clients]
        # The paths instead of URLs of an invented origin; an error stays as the client shows it.
        predictions = [replace(each, reason=each.reason.replace(f"{_ORIGIN}/", "/")) for each in predictions]
        discovery = discover(answers, _ORIGIN + path)
        findings += add_client_findings(sorted_findings(sign_in_findings(discovery, answers)), predictions)
        prefix = f"{path}: " if len(paths) > 1 else ""
        sections.append(predictions_section(predictions, f"{prefix}{scenario.title}"))
        clients_details = [prediction_details(prediction) for prediction in predictions]
        details.append({"endpoint": path, **asdict(scenario), "clients": clients_details})
    return Report(
        command=COMMAND,
        subject=source,
        rules=rules.VERIFY_RULES,
        findings=sorted_findings(change_texts(finding, lambda text: text.replace(_ORIGIN, "")) for finding in findings),
        sections=tuple(sections),
        details={"scenarios": details},
    )


def _missing_endpoint(manifest: Manifest, source: str) -> Iterator[Finding]:
    """A finding if no client can connect, because no route is an MCP endpoint."""
    if mcp_endpoint_paths(manifest.routes):
        return
    message = "No route has the role mcp-endpoint and takes POST, so no client can connect."
    wider = [route for route in manifest.routes if route.widened and "/, which no route key can name" in route.widened]
    if wider:
        message += f" {wider[0].path} only redirects: {wider[0].widened}."
    fix = "Serve the endpoint at a path without a final slash: `routegen extract` names the code."
    yield Finding(rules.NO_ENDPOINT, source, message, fix)


def _misplaced_metadata(manifest: Manifest) -> Iterator[Finding]:
    """A finding for each endpoint whose metadata is served below a path, and not where clients look for it."""
    misplaced = [route for route in manifest.routes if route.role == "misplaced-metadata"]
    served = {route.path for route in manifest.routes if not route.reserved}
    for route in manifest.routes:
        documents = [other.path for other in misplaced if other.app == route.app and PROTECTED_RESOURCE in other.path]
        expected = f"{PROTECTED_RESOURCE}{route.path}"
        if route.role == "mcp-endpoint" and documents and served.isdisjoint({expected, PROTECTED_RESOURCE}):
            message = (
                f"{route.app} serves the document at {documents[0]}, and clients look for it at {expected} "
                "(RFC 9728, section 3.1)."
            )
            fix = "With FastMCP, add *auth.get_well_known_routes(mcp_path=...) to the routes of the outer application."
            yield Finding(rules.RESOURCE_MISPLACED, route.path, message, fix)


class _ManifestAnswers:
    """The answers that a deployment of a manifest would give to MCP clients."""

    def __init__(self, manifest: Manifest, mcp_path: str, scenario: Scenario) -> None:
        """Take the manifest, the path of its MCP endpoint, and how the default app and the gateway answer."""
        self._explainer = Explainer(manifest)
        self._manifest = manifest
        self._mcp_path = mcp_path
        self._scenario = scenario
        app = next(route.app for route in manifest.routes if route.path == mcp_path)
        self._app_routes = [route for route in manifest.routes if route.app == app and not route.reserved]
        paths: dict[Role, str] = {route.role: route.path for route in self._app_routes}
        if {"authorization-endpoint", "token-endpoint"} <= paths.keys():
            # An authorization server of the app has its endpoints below its issuer.
            self._issuer = _ORIGIN + paths["authorization-endpoint"].rpartition("/")[0]
            endpoints = {field: _ORIGIN + paths[role] for role, field in _ENDPOINT_FIELDS.items() if role in paths}
        else:
            self._issuer = _OTHER_SERVER
            names = _ENDPOINT_FIELDS.values()
            endpoints = {name: f"{_OTHER_SERVER}/{name.removesuffix('_endpoint')}" for name in names}
        self._metadata = {
            "issuer": self._issuer,
            **endpoints,
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
        }
        result = {"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-06-18"}}
        is_open = _OAUTH_ROLES.isdisjoint(paths)
        self._replies: dict[Role, _Reply] = {
            "mcp-endpoint": (200, result) if is_open else (401, {"error": "invalid_token"}),
            "authorization-server-metadata": (200, self._metadata),
            "openid-configuration": (200, self._metadata),
            **dict.fromkeys(_ENDPOINT_FIELDS, (400, {"error": "invalid_request"})),
        }

    def get(self, method: str, url: str) -> Answer | Failure:
        """The answer to a request."""
        parts = urlsplit(url)
        origin, path = f"{parts.scheme}://{parts.netloc}", parts.path or "/"
        headers = [("content-type", "application/json")]
        if origin == _OTHER_SERVER and method in SAFE_METHODS:
            is_metadata = path.startswith("/.well-known/o")
            status, value = (200, self._metadata) if is_metadata else (405, {})
        elif origin != _ORIGIN or (method == "POST" and path != self._mcp_path):
            return Failure(method, url, "not-asked", "the manifest does not contain the answer")
        else:
            route_key = self._explainer.explain(method, path).route_key
            route = next((route for route in self._manifest.routes if route_key in route.route_keys), None)
            if route is None and self._manifest.default is None:
                status, value = 404, {"message": "Not Found"}  # of the gateway
            elif route is None or _is_for_other_paths(route):
                return Answer(method, url, self._scenario.catch_all, (("content-type", "text/html"),), _PAGE)
            else:
                status, value = self._reply(method, route)
        if status == 401:
            headers.append(self._challenge())
        return Answer(method, url, status, tuple(headers), b"" if method == "HEAD" else json.dumps(value).encode())

    def _reply(self, method: str, route: Route) -> _Reply:
        """The reply of the app of a route."""
        not_found = 404, {"error": "not_found"}
        if route.reserved:
            return not_found
        is_open_to_every_path = route.role == "mcp-endpoint" and takes_every_path(route.path)
        if {ANY, method}.isdisjoint(route.methods) or (is_open_to_every_path and method != "POST"):
            return 405, {"error": "method_not_allowed"}
        if route.role == "protected-resource-metadata":
            resource = _ORIGIN + (route.path.removeprefix(PROTECTED_RESOURCE) or self._mcp_path)
            return 200, {"resource": resource, "authorization_servers": [self._issuer]}
        return self._replies.get(route.role, not_found)

    def _challenge(self) -> tuple[str, str]:
        """The header of the 401 with the URL of the protected resource metadata, if the app serves it."""
        documents = [route.path for route in self._app_routes if route.role == "protected-resource-metadata"]
        documents.sort(key=lambda path: path != PROTECTED_RESOURCE + self._mcp_path)
        name = "www-authenticate" if self._scenario.challenge_header == "kept" else RENAMED_HEADER
        return name, f'Bearer resource_metadata="{_ORIGIN}{documents[0]}"' if documents else "Bearer"
