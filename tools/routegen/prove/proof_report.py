"""The report of `routegen prove`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from routegen.prove.compare_requests import AppProof
from routegen.report import Finding, Report, Rule, Section, rules

_RULES: dict[str, Rule] = {
    "under-routed": rules.UNDER_ROUTED,
    "over-routed": rules.OVER_ROUTED,
    "reserved": rules.RESERVED_SERVED,
    "middleware": rules.ANSWERED_BY_MIDDLEWARE,
}
_PATHS_SHOWN = 10


def proof_report(proofs: Sequence[AppProof], subject: str, fix: str) -> Report:
    """Put the results of all apps into one report.

    Args:
        proofs: the result for each app.
        subject: the name of the manifest in the report.
        fix: the fix of each disagreement.
    """
    return Report(
        command="routegen prove",
        subject=subject,
        rules=rules.PROOF_RULES,
        findings=tuple(finding for proof in proofs for finding in _findings(proof, fix)),
        success="no disagreement",
        sections=(Section("Apps", tuple(row for proof in proofs for row in _rows(proof))),),
        details={"apps": [asdict(proof) for proof in proofs]},
    )


def _findings(proof: AppProof, fix: str) -> Iterator[Finding]:
    if not proof.served:
        message = f"None of {proof.requests} requests reaches a route of {proof.app}, so nothing is proven."
        yield Finding(rules.NOTHING_ROUTED, proof.app, message, "Check that APP names the application with the routes.")
    for disagreement in proof.disagreements:
        subject = f"{disagreement.method} {disagreement.path}"
        remedy = fix
        if disagreement.kind == "middleware":
            remedy = f'Write routes = ["{disagreement.path}"] in [tool.routegen.apps.{proof.app}].'
        yield Finding(_RULES[disagreement.kind], subject, f"{disagreement.text}.", remedy)
    if proof.pages:
        pages = [f"GET {path} ({status})" for path, status in proof.pages.items()]
        message = f"{proof.app} answers paths that it does not serve with a page: {_first(pages)}."
        fix = "Let its handler for unknown paths answer with status 404, at least below /.well-known/."
        yield Finding(rules.PAGE_FOR_DOCUMENT, proof.app, message, fix)
    # An app that answers every path with a page has no single paths of its middleware.
    paths = {path: status for path, status in proof.middleware_paths.items() if not proof.pages or status >= 400}
    if paths:
        yield _middleware_finding(proof, paths)


def _middleware_finding(proof: AppProof, paths: Mapping[str, int]) -> Finding:
    """A note with the paths that no route serves and that middleware answers nevertheless."""
    answers = [f"{path} ({status})" for path, status in paths.items()]
    message = f"Middleware answers paths that no route serves: {_first(answers)}."
    fix = f"If {proof.app} shall get such a path, list it in `routes`, or own it with `own`."
    return Finding(rules.MIDDLEWARE_PATHS, proof.app, message, fix)


def _first(paths: list[str]) -> str:
    more = f" and {len(paths) - _PATHS_SHOWN} more" if len(paths) > _PATHS_SHOWN else ""
    return f"{', '.join(paths[:_PATHS_SHOWN])}{more}"


_EXCUSES = {
    "shadowed": "a rule of the app takes every path, and another app has a route for the request",
    "claimed": "another app claims the path in its `routes`",
}


def _excuse(kind: str) -> str:
    return _EXCUSES.get(kind, f"unsupported, `{kind}`")


def _rows(proof: AppProof) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [(proof.app, f"{proof.requests} requests", f"made from {proof.routes} served paths")]
    rows += [("", f"{count} requests", f"excused: {_excuse(kind)}") for kind, count in sorted(proof.excused.items())]
    if proof.answered_by_middleware:
        count = proof.answered_by_middleware
        rows.append(("", f"{count} requests", "answered by middleware, so the router was asked without it"))
    return rows
