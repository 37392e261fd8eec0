"""The sign-in flow of FastMCP's client, which uses the Python SDK.

From the sources of `mcp` 2.3.0 (`client/auth/oauth2.py`, `client/auth/utils.py`, `shared/auth.py`) and `fastmcp` 4.2.3
(`client/auth/oauth.py`), and from the requests of the recorded runs.
"""

import json
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ValidationError
from routegen.roles import AUTHORIZATION_SERVER
from routegen.verify.answers import Answer, Failure, shown
from routegen.verify.clients.metadata_schemas import AuthorizationServerModel, ProtectedResourceModel
from routegen.verify.clients.sign_in_flow import (
    ClientFailsError,
    FlowError,
    SignInFlow,
    challenge_value,
    complete_answer,
    redirect_target,
    requested_scopes,
    unreachable_error,
)
from routegen.verify.clients.whatwg_url import keep_empty_path, parse_http_url
from routegen.verify.documents import describe_answer
from routegen.verify.mcp_messages import error_of, error_text, is_message, result_of
from routegen.verify.oauth_discovery import resource_metadata_urls, server_metadata_urls


class PythonSdkFlow(SignInFlow):
    """The sign-in flow of FastMCP's client."""

    def connect(self) -> str:
        """Follow the sources of FastMCP and of the SDK."""
        first_answer = self.send_and_follow("POST", self.mcp_url)
        if isinstance(first_answer, Failure):
            raise _unreachable(first_answer)
        if first_answer.status == 200 and first_answer.media_type in {"application/json", "text/event-stream"}:
            if not is_message(first_answer):
                reason = f"{first_answer.url} {describe_answer(first_answer)}, which is not an MCP message."
                raise ClientFailsError(reason, first_answer.url)
            if not error_of(first_answer):
                return f"{self.mcp_url} requires no sign-in."
        if first_answer.status != 401 and self.modern_answer and result_of(self.modern_answer):
            return f"{self.mcp_url} requires no sign-in, and answers `server/discover`."
        if first_answer.status != 401:
            raise self._endpoint_error(first_answer)
        # Without protected resource metadata, the client names the MCP endpoint as the resource (`get_resource_url`).
        resource = self._discover_resource(first_answer) or {"resource": self.mcp_url}
        server = self._discover_server(resource.get("authorization_servers", [None])[0])
        authorization_url = server["authorization_endpoint"] if server else f"{self._endpoint_origin}/authorize"
        self._register(server.get("registration_endpoint"), authorization_url)
        self.check_sign_in_page(authorization_url, _error_text("Unexpected authorization response: 404"))
        if "?" in authorization_url:
            reason = "has a query, and the client adds its parameters after a second question mark."
            raise ClientFailsError(f"{authorization_url} {reason}", authorization_url)
        scopes = requested_scopes(challenge_value(first_answer, "scope"), resource)
        if scopes is None:  # `get_client_metadata_scopes`
            scopes = server.get("scopes_supported")
        return self.sign_in_reason(authorization_url, scopes, resource, server)

    @property
    def _endpoint_origin(self) -> str:
        parts = urlsplit(self.mcp_url)
        return f"{parts.scheme}://{parts.netloc}"

    def _discover_resource(self, challenge: Answer) -> dict[str, Any] | None:
        """The protected resource metadata; the client ignores every answer that is not such a document."""
        server_error = None
        challenge_url = challenge_value(challenge, "resource_metadata")
        for url in [*([challenge_url] if challenge_url else []), *resource_metadata_urls(self.mcp_url)]:
            answer = self._get_metadata(url)
            if answer.status >= 500 or answer.status == 429:
                server_error = answer
            if resource := _validate(ProtectedResourceModel, answer):
                self._check_resource(resource["resource"], url)
                return resource
        if server_error:
            # The client cannot know that there is no metadata, so it does not use the older discovery.
            text = _error_text(f"Protected resource metadata request failed: HTTP {server_error.status}")
            description = f"{server_error.url} {describe_answer(server_error)}"
            reason = f"{description}, and the client does not look for metadata elsewhere."
            raise ClientFailsError(reason, server_error.url, text)
        return None

    def _check_resource(self, resource: str, url: str) -> None:
        """Check the resource (RFC 8707): the endpoint's origin, and the start of its path."""
        endpoint, resource_parts = urlsplit(self.mcp_url.rstrip("/")), urlsplit(resource)  # as FastMCP's `OAuth` does
        url_parts = (endpoint, resource_parts)
        origin, resource_origin = ((parts.scheme.lower(), parts.netloc.lower()) for parts in url_parts)
        path, resource_path = (f"{parts.path.removesuffix('/')}/" for parts in url_parts)
        if origin != resource_origin or not path.startswith(resource_path):
            expected = urlunsplit((*origin, endpoint.path, endpoint.query, ""))
            text = _error_text(f"Protected resource {resource} does not match expected {expected}")
            raise ClientFailsError(f"{url} describes the resource {resource}, not {expected}.", url, text)

    def _discover_server(self, issuer: str | None) -> dict[str, Any]:
        """The metadata of the authorization server that the resource metadata names; empty if the client finds none."""
        urls = server_metadata_urls(issuer) if issuer else [f"{self._endpoint_origin}{AUTHORIZATION_SERVER}"]
        for url in urls:
            answer = self._get_metadata(url)
            if not (answer.status == 200 or 300 <= answer.status < 500):
                break
            if server := _validate(AuthorizationServerModel, answer):
                self._check_issuer(issuer, server["issuer"], url)
                return server
        return {}

    def _check_issuer(self, issuer: str | None, metadata_issuer: str, url: str) -> None:
        """Check the issuer (RFC 8414, section 3.3); a final slash is ignored without protected resource metadata."""
        expected = issuer or keep_empty_path(self._endpoint_origin) or ""
        if metadata_issuer == expected or (issuer is None and metadata_issuer == f"{expected}/"):
            return
        text = _error_text(f"Authorization server metadata issuer mismatch: {metadata_issuer} != {expected}")
        raise ClientFailsError(f"{url} has the issuer {metadata_issuer}, not {expected}.", url, text)

    def _register(self, named_url: str | None, authorization_url: str) -> None:
        """Register at the URL that the metadata names, or else at the default path of the MCP endpoint's origin."""
        url = named_url or f"{self._endpoint_origin}/register"
        answer = self.send_registration(url, authorization_url, in_metadata=named_url is not None)
        if answer is None:
            return
        if isinstance(answer, Failure):
            raise _unreachable(answer)
        body, text = complete_answer(answer).body, None
        if answer.status not in {200, 201}:
            target = redirect_target(answer)
            note = f" (redirected to {target.partition('?')[0]}; not followed)" if target else ""
            text = _error_text(f"Registration failed: {answer.status}{note} {body.decode('utf-8', 'replace')}")
        elif (problem := _registration_problem(body)) is None:
            return
        elif problem:
            text = _error_text(f"Invalid registration response: {problem}")
        raise ClientFailsError(self.refusal_reason(url, answer), url, text)

    def _get_metadata(self, url: str) -> Answer:
        if not parse_http_url(url):
            message = "Request URL is missing an 'http://' or 'https://' protocol."
            text = _error_text(message) if "://" not in url else None
            reason = f"{self.mcp_url} names {shown(url)!r} as its metadata, which is not an http or https URL."
            raise ClientFailsError(reason, self.mcp_url, text)
        answer = self.get(url)
        if isinstance(answer, Failure):
            raise _unreachable(answer)
        return answer

    def _endpoint_error(self, first_answer: Answer) -> FlowError:
        """The error for an MCP endpoint that answers neither with a message nor with a challenge."""
        self.send_and_follow("POST", self.mcp_url)  # The client tries once more, as an older server expects.
        reason = f"{first_answer.url} {describe_answer(first_answer)}, which is not a challenge."
        text = f"MCPError: {_endpoint_error_message(first_answer)}"
        return ClientFailsError(reason, first_answer.url, text, first_answer.status)


def _error_text(message: str) -> str:
    return f"RuntimeError: Client failed to connect: {message}"


def _registration_problem(body: bytes) -> str | None:
    """The text of pydantic's error for a registration; empty if it is not known, None for a valid answer."""
    text = body.lstrip(b" \t\r\n")
    if not text:
        return "EOF while parsing a value at line 1 column 0" if not body else ""
    if text[:1] not in b'{["-0123456789tfnNI':
        lines = body[: len(body) - len(text)].split(b"\n")
        return f"expected value at line {len(lines)} column {len(lines[-1]) + 1}"
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return None if isinstance(value, dict) and isinstance(value.get("client_id"), str) and value["client_id"] else ""


def _validate(model: type[BaseModel], answer: Answer) -> dict[str, Any] | None:
    """The document in an answer with status 200; None if it does not fit the model."""
    if answer.status != 200:
        return None
    try:
        return model.model_validate_json(complete_answer(answer).body).model_dump()
    except ValidationError:
        return None


def _unreachable(failure: Failure) -> FlowError:
    # For a DNS or TLS failure, the words come from the operating system or from OpenSSL.
    text = _error_text("All connection attempts failed") if failure.kind == "refused" else None
    return unreachable_error(failure, text)


def _endpoint_error_message(first_answer: Answer) -> str:
    if target := redirect_target(first_answer):
        place = target.partition("?")[0]
        return f"Redirect to {place} not followed; use that URL as the endpoint if it is the intended server"
    if first_answer.status == 200 and (message := error_text(first_answer)):
        return message
    if first_answer.is_success:
        return f"Unexpected content type: {(first_answer.header('content-type') or '').lower()}"
    error = (first_answer.document or {}).get("error")
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        return str(error["message"])
    return "Not Found" if first_answer.status == 404 else "Server returned an error response"
