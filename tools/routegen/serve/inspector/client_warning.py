"""Warn about a web page that answers a request of an MCP client's sign-in, and name the clients that it breaks.

`routegen.verify.clients` predicts what each client does. The prediction is about a deployment of which one answer is
known: the response that the gateway has just sent.
"""

import json
import re
from dataclasses import replace
from urllib.parse import urlsplit

from routegen.roles import AUTHORIZATION_SERVER, OPENID_CONFIGURATION, PROTECTED_RESOURCE, classify_path
from routegen.serve.exchange import Exchange, HttpRequest
from routegen.verify.answers import Answer, Failure
from routegen.verify.clients import RECORDED_CLIENTS, predict
from routegen.verify.clients.sign_in_flow import redirect_target
from routegen.verify.clients.whatwg_url import parse_url

_SIGN_IN_AGAIN = (
    "no client gets or refreshes its token from a web page (RFC 6749, section 5, requires JSON), so each client will "
    "ask its user to sign in again"
)
_STOP = "will stop here"
_PAGE = b"<!DOCTYPE html><html></html>"
"""A web page in the place of the real one, so that a client's error does not contain text of the response."""

_MAX_ERROR = 90
_ERROR_CLASS = re.compile(r"^\w*Error: ")


def is_sign_in_request(request: HttpRequest) -> bool:
    """Whether MCP clients send such a request on their way to sign in."""
    return _sign_in_role(request) != "other"


def client_warning(exchange: Exchange) -> str | None:
    """One sentence on the clients that a response breaks; None if it is not a web page, or no client asks for it."""
    request, response = exchange.request, exchange.response
    url = parse_url(f"http://{request.header('host') or 'localhost'}{request.path}")
    role = _sign_in_role(request)
    if role == "other" or url is None:
        return None
    answer = Answer(request.method, url.href, response.status, response.headers, response.body)
    if not answer.is_html:
        return None
    answer = replace(answer, body=_PAGE)
    if role == "token-endpoint":
        return _SIGN_IN_AGAIN
    deployment = _OneKnownAnswer(answer, url.origin, url.path)
    clauses: dict[str, list[str]] = {}
    for prediction in (predict(client, deployment.mcp_url, deployment) for client in RECORDED_CLIENTS):
        if prediction.outcome == "fails" and (answer.method, answer.url) in prediction.requests:
            clause = deployment.clause(prediction.url or "", prediction.error)
            clauses.setdefault(clause, []).append(prediction.client)
    errors_first = sorted(clauses, key=lambda clause: not clause.startswith(_STOP))
    return "; ".join(f"{_enumerate(clauses[clause])} {clause}" for clause in errors_first) or None


def _sign_in_role(request: HttpRequest) -> str:
    """The role of a path by its name: a client asks for it, and it does not matter which app answers."""
    media_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    # Without metadata, a client uses these paths of the origin (MCP specification of 2025-03-26, section 2.3.3).
    if (request.method, request.path, media_type) == ("POST", "/register", "application/json"):
        return "registration-endpoint"
    if (request.method, request.path, media_type) == ("POST", "/token", "application/x-www-form-urlencoded"):
        return "token-endpoint"
    return classify_path(request.path, ()).role


class _OneKnownAnswer:
    """The answers of a deployment of which one answer is known, for predictions.

    The MCP endpoint asks for a sign-in. If the known answer is at the place of an authorization server's metadata, the
    protected resource metadata names that server. A redirect leads to a web page. Every other URL answers 404.
    """

    def __init__(self, answer: Answer, origin: str, path: str) -> None:
        """Take the known answer, with the origin and the path of its URL."""
        self._answer = answer
        self._origin = origin
        endpoint = path.removeprefix(PROTECTED_RESOURCE) if path.startswith(PROTECTED_RESOURCE) else ""
        self.mcp_url = f"{origin}{endpoint or '/mcp'}"
        self._issuer = None
        for document in (AUTHORIZATION_SERVER, OPENID_CONFIGURATION):
            if document in path:
                self._issuer = f"{origin}{path.replace(document, '')}"

    def get(self, method: str, url: str) -> Answer | Failure:
        """The answer to a request."""
        if (method, url) == (self._answer.method, self._answer.url):
            return self._answer
        if url == redirect_target(self._answer):
            return Answer(method, url, 200, (("content-type", "text/html"),), b"<!DOCTYPE html>")
        if url == self.mcp_url:
            return _json_answer(method, url, 401, {})
        if url == f"{self._origin}{PROTECTED_RESOURCE}/mcp" and self._issuer:
            return _json_answer(method, url, 200, {"resource": self.mcp_url, "authorization_servers": [self._issuer]})
        return _json_answer(method, url, 404, {})

    def clause(self, url: str, error: str | None) -> str:
        """What a client does that fails at a URL with an error, as the end of a sentence."""
        path = urlsplit(url).path
        if url == self._answer.url:
            message = _ERROR_CLASS.sub("", error or "").replace(self._origin, "")
            shortened = message if len(message) <= _MAX_ERROR else f"{message[:_MAX_ERROR].rstrip('.')}..."
            return f'{_STOP} with "{shortened}"' if message else _STOP
        if url == redirect_target(self._answer):
            return f"will follow the redirect, and stop at {path} if a web page answers there"
        return f"will ignore this answer and, without other metadata, go on to {path}"


def _json_answer(method: str, url: str, status: int, value: dict[str, object]) -> Answer:
    return Answer(method, url, status, (("content-type", "application/json"),), json.dumps(value).encode())


def _enumerate(names: list[str]) -> str:
    return " and ".join([*filter(None, [", ".join(names[:-1])]), names[-1]])
