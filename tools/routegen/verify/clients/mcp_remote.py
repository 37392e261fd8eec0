"""The sign-in flow of mcp-remote: its own metadata discovery, the SDK's sign-in, and then the older transport.

From the sources of mcp-remote 0.15.1 (`client.ts`, `lib/utils.ts`, `lib/protected-resource-metadata.ts`,
`lib/authorization-server-metadata.ts`, `lib/node-oauth-client-provider.ts`) with the SDK that is bundled in it, and
from the requests of the recorded runs.
"""

import re
from typing import Any

from routegen.roles import AUTHORIZATION_SERVER, issuer_documents
from routegen.verify.answers import Answer, Failure, shown
from routegen.verify.clients.javascript_json import JsonSyntaxError, parse_json
from routegen.verify.clients.sign_in_flow import (
    ClientFailsError,
    FlowError,
    UnknownOutcomeError,
    challenge_header,
    unreachable_error,
)
from routegen.verify.clients.typescript_sdk import TypeScriptSdkFlow
from routegen.verify.clients.whatwg_url import ParsedUrl, parse_http_url, parse_url
from routegen.verify.documents import describe_answer
from routegen.verify.oauth_discovery import resource_metadata_urls

_BEARER = re.compile(r"(?i)^Bearer\s+")
_PARAMETER = re.compile(r'(?<!\w)(\w+)=(?:"([^"]*)"|([\w-]+))', re.ASCII)
_OLDER_TRANSPORT_WORDS = ("404", "405", "Not Found", "Method Not Allowed")


class McpRemoteFlow(TypeScriptSdkFlow):
    """The sign-in flow of mcp-remote, with the SDK that is bundled in it."""

    def connect(self) -> str:
        """Follow the sources of mcp-remote."""
        scopes = self._discover_scopes()
        self.get(self.mcp_url, "any-origin")  # The client asks whether it will need a callback server.
        try:
            first_answer = self.request_endpoint()
            if first_answer.status != 401:
                return f"{self.mcp_url} requires no sign-in."
            self._check_scopes(scopes)
            return self.sign_in(first_answer)
        except FlowError as error:
            raise self._next_step(error) from None

    def _next_step(self, error: FlowError) -> FlowError:
        """The outcome after an error; the client decides by the words of the error (`connectToRemoteServer`)."""
        if not isinstance(error, ClientFailsError):
            return error
        text = error.text or ""
        if error.status in {404, 405} or any(word in text for word in _OLDER_TRANSPORT_WORDS):
            return self._older_transport(error)
        if "Unauthorized" in text:
            reason = f"The client waits forever, because it takes an error for a sign-in that has begun: {error.reason}"
            return ClientFailsError(reason, error.url)
        return error

    def _older_transport(self, error: FlowError) -> FlowError:
        """The outcome of an attempt with the older transport, HTTP+SSE (MCP 2024-11-05)."""
        answer = self.get(self.mcp_url, "any-origin")
        if not isinstance(answer, Answer):
            return unreachable_error(answer, None)
        if answer.status == 401:
            try:
                self.sign_in(answer)
            except FlowError as second_error:
                return second_error
        if answer.status in {200, 401}:
            reason = (
                f"The client tries the older transport, for which routegen has no prediction, because {error.reason}"
            )
            return UnknownOutcomeError(reason, error.url)
        text = f"SseError: SSE error: Non-200 status code ({answer.status})"
        return ClientFailsError(
            f"{answer.url} {describe_answer(answer)}, also with the older transport.", answer.url, text
        )

    def _discover_scopes(self) -> tuple[str, Any] | None:
        """The client's own discovery, whose only result is scopes: the name of its variable, and the value."""
        first_answer = self.get(self.mcp_url, "any-origin")
        challenge, resource, issuer = {}, None, None
        if isinstance(first_answer, Failure) or not first_answer.is_success:
            if isinstance(first_answer, Answer) and first_answer.status == 401:
                matches = _PARAMETER.finditer(_BEARER.sub("", challenge_header(first_answer)))
                challenge = {match[1]: match[2] if match[2] is not None else match[3] for match in matches}
            challenge_url = challenge.get("resource_metadata")
            resource = self._first_document(
                [*([challenge_url] if challenge_url else []), *resource_metadata_urls(self.mcp_url)]
            )
            servers = resource.get("authorization_servers") if isinstance(resource, dict) else None
            issuer = servers[0] if isinstance(servers, list | str) and servers else None
        server = parse_url(str(issuer) if issuer else self.mcp_url)
        if server is None:
            url = self.requests[-1][1]
            reason = f"{url} names {shown(issuer)!r} as the authorization server, which is not a URL."
            raise ClientFailsError(reason, url, "TypeError: Invalid URL")
        metadata = self._first_document(_server_metadata_urls(server))
        if challenge.get("scope", "").strip():
            return None
        for name, document in (("resourceScopes", resource), ("authScopes", metadata)):
            if isinstance(document, dict) and "scopes_supported" in document:
                return name, document["scopes_supported"]
        return None

    def _check_scopes(self, discovered: tuple[str, Any] | None) -> None:
        """Raise the error of `scopes.join(" ")` for scopes that are not a list; the client does not check the type."""
        name, scopes = discovered or ("", [])
        if isinstance(scopes, list) or scopes == "":
            return
        reason = (
            f"The metadata of {self.mcp_url} has a scopes_supported that is not a list, and the client fails on it."
        )
        message = f"{name}.join is not a function"
        if scopes is None:
            message = "Cannot read properties of null (reading 'length')"
        raise ClientFailsError(reason, self.mcp_url, f"TypeError: {message}")

    def _first_document(self, urls: list[str]) -> Any:
        """The first JSON value that is true in JavaScript; after any error, the client requests the next URL."""
        for text in urls:
            answer = self.get(url.href, "any-origin") if (url := parse_http_url(text)) else None
            if isinstance(answer, Answer) and answer.is_success:
                value = parse_json(answer)
                if not isinstance(value, JsonSyntaxError) and (value or isinstance(value, list | dict)):
                    return value
        return None


def _server_metadata_urls(server: ParsedUrl) -> list[str]:
    paths = [path for path, _ in issuer_documents(server.path.rstrip("/"))]
    if AUTHORIZATION_SERVER not in paths:
        paths.insert(1, AUTHORIZATION_SERVER)
    return [f"{server.origin}{path}" for path in paths]
