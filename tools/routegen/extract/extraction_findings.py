"""Findings about an extraction: unsupported paths, shadowed rules of the default app, and paths left to it."""

from collections.abc import Iterator

from routegen.extract.build import Extraction
from routegen.extract.reserved import NotReserved
from routegen.extract.shadowing import find_shadowed_rules
from routegen.extract.unsupported import UnsupportedKind
from routegen.report import Finding, Rule, rules

_RULES_AND_FIXES: dict[UnsupportedKind, tuple[Rule, str]] = {
    "websocket": (rules.UNSUPPORTED, "Serve WebSockets through a WebSocket API of API Gateway."),
    "host": (rules.UNSUPPORTED, "Serve the path under every host, or give the host its own API."),
    "everything": (rules.UNSUPPORTED, "Set `own` to the paths that the app shall have."),
    "trailing-slash": (rules.UNSUPPORTED, "Serve the path without its final slash."),
    "empty-rest": (rules.UNSUPPORTED, "Serve the path without its final slash too, if clients ask for it."),
    "empty-segment": (
        rules.UNSUPPORTED,
        "Let the convertor take one character or more, if clients never leave the segment out.",
    ),
    "path": (rules.UNSUPPORTED, "Serve the path in a form that a URL can have."),
    "hidden": (rules.UNSUPPORTED, "Remove the route, or register it before the mount."),
    "redirect": (rules.ENDPOINT_REDIRECTED, "Serve the endpoint without the final slash."),
    "misplaced-metadata": (rules.METADATA_MISPLACED, "Serve the document where clients look for it."),
    "wrong-document": (rules.DOCUMENT_WRONG, "Let the document name the URLs at which clients reach the app."),
    "no-metadata": (rules.NO_METADATA, "Serve protected resource metadata, if clients shall sign in themselves."),
    "catch-all": (rules.CATCH_ALL_ANSWERS, "Answer 404 at the paths below /.well-known/ that the app does not serve."),
    "sessions": (rules.KEEPS_SESSIONS, "Make the endpoint stateless."),
    "endpoint-fails": (rules.ENDPOINT_FAILS, "Change the app as the message says, and list its tools with a client."),
    "loopback-only": (rules.LOOPBACK_ONLY, "Allow the host of the deployment."),
    "event-stream": (rules.EVENT_STREAM, "Serve the Streamable HTTP transport."),
}


def extraction_findings(extraction: Extraction) -> list[Finding]:
    """One finding for each unsupported path, each shadowed rule, and each path that is left to the default app."""
    findings = []
    for unsupported in extraction.unsupported:
        rule, fix = _RULES_AND_FIXES[unsupported.kind]
        findings.append(Finding(rule, unsupported.path, f"{unsupported.text}.", fix))
    for shadowed in find_shadowed_rules(extraction.manifest, extraction.default_paths):
        rule = rules.SHADOWED_RULE if shadowed.names_a_path else rules.SHADOWED_PAGE
        fix = f"Change the route or the rule of {shadowed.app}, if users need both."
        findings.append(Finding(rule, shadowed.paths[0], f"{shadowed.text}.", fix))
    findings += map(_not_reserved, extraction.not_reserved)
    return [*findings, *_shared_documents(extraction)]


def _not_reserved(path: NotReserved) -> Finding:
    reason = f"its rule {path.rule} names the path" if path.rule else "it is not configured, so its rules are unknown"
    message = (
        f"Clients ask here about the MCP endpoint {path.endpoint} of {path.app}. {path.default} answers, because "
        f"{reason}. A page of HTML with status 200 makes most clients fail."
    )
    fix = (
        f'Reserve the path with reserve = ["{path.path}"], if {path.default} does not need it.'
        if path.rule
        else f'Add [tool.routegen.apps.{path.default}], or set reserve = "all" for {path.app}.'
    )
    return Finding(rules.NOT_RESERVED, path.path, message, fix)


def _shared_documents(extraction: Extraction) -> Iterator[Finding]:
    for path, owner, other_apps in extraction.shared_documents:
        message = (
            f"{owner} answers for {', '.join(other_apps)} too. Clients that read the protected resource metadata of "
            "an endpoint do not ask for it; clients of MCP 2025-03-26 do."
        )
        yield Finding(rules.SHARED_DOCUMENT, path, message, "Nothing needs to change if one answer is right for all.")
