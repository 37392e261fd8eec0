"""Findings about an extraction: what a route key cannot express, and which rules of the default app are shadowed."""

from routegen.extract.build import Extraction
from routegen.extract.shadowing import find_shadowed_rules
from routegen.extract.unsupported import UnsupportedKind
from routegen.report import Finding, rules

_FIXES: dict[UnsupportedKind, str] = {
    "websocket": "Serve WebSockets through a WebSocket API of API Gateway.",
    "host": "Serve the path under every host, or give the host an API of its own.",
    "everything": "Set `own` to the paths that the app shall have.",
    "trailing-slash": "Serve the path without its final slash.",
    "empty-rest": "Serve the path without its final slash too, if clients ask for it.",
    "path": "Serve the path in a form that a URL can have.",
    "hidden": "Remove the route, or register it before the mount.",
}


def extraction_findings(extraction: Extraction) -> list[Finding]:
    """One finding for each unsupported thing and for each shadowed rule of the default app."""
    findings = [
        Finding(rules.UNSUPPORTED, unsupported.path, f"{unsupported.text}.", _FIXES[unsupported.kind])
        for unsupported in extraction.unsupported
    ]
    for shadowed in find_shadowed_rules(extraction.manifest, extraction.default_paths):
        rule = rules.SHADOWED_RULE if shadowed.names_a_path else rules.SHADOWED_PAGE
        fix = f"Change the route or the rule of {shadowed.app}, if users need both."
        findings.append(Finding(rule, shadowed.paths[0], f"{shadowed.text}.", fix))
    return findings
