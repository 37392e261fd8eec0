"""The report of `routegen prove`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from routegen.prove.app_proof import AppProof
from routegen.prove.compare_requests import Disagreement
from routegen.report import Finding, Report, Rule, Section, rules

_RULES: dict[str, Rule] = {
    "under-routed": rules.UNDER_ROUTED,
    "over-routed": rules.OVER_ROUTED,
    "reserved": rules.RESERVED_SERVED,
    "middleware": rules.ANSWERED_BY_MIDDLEWARE,
}
_SHOWN = 10
_EXCUSES = {
    "shadowed": "a rule of the app takes every path, and another app has a route for the request",
    "claimed": "another app claims the path in its `routes`",
    "wider": "a route key cannot name exactly what the app serves",
}


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
        success="no disagreement for any method and path",
        sections=(Section("Apps", tuple(row for proof in proofs for row in _rows(proof))),),
        details={"apps": [asdict(proof) for proof in proofs]},
    )


def _findings(proof: AppProof, fix: str) -> Iterator[Finding]:
    yield from disagreement_findings(proof.disagreements, fix)
    # An app that answers every path with a page has no single paths of its middleware.
    paths = {path: status for path, status in proof.middleware_paths.items() if not proof.pages or status >= 400}
    if not proof.served:
        message = f"None of {proof.requests} requests reaches a route of {proof.app}, so nothing is proven."
        fix = "Check that APP names the application with the routes."
        yield Finding(rules.NOTHING_ROUTED, proof.app, message, fix)
    if pages := _listed([f"GET {path} ({status})" for path, status in proof.pages.items()]):
        message = f"{proof.app} answers paths that it does not serve with a page: {pages}."
        fix = "Let its handler for unknown paths answer with status 404, at least below /.well-known/."
        yield Finding(rules.PAGE_FOR_DOCUMENT, proof.app, message, fix)
    if answers := _listed([f"{path} ({status})" for path, status in paths.items()]):
        message = f"Middleware answers paths that no route serves: {answers}."
        fix = f"If {proof.app} shall get such a path, list it in `routes`, or own it with `own`."
        yield Finding(rules.MIDDLEWARE_PATHS, proof.app, message, fix)
    if reasons := _listed(proof.not_proven):
        message = f"The proof does not cover all paths of {proof.app}, because {reasons}."
        fix = "Nothing needs to change; requests have sampled these parts."
        yield Finding(rules.NOT_PROVEN, proof.app, message, fix)


def _listed(items: Sequence[str]) -> str:
    return ", ".join(items[:_SHOWN]) + (f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else "")


def disagreement_findings(disagreements: Iterable[Disagreement], fix: str) -> Iterator[Finding]:
    """Yield a finding for each disagreement.

    Args:
        disagreements: the disagreements.
        fix: the fix of each one, if middleware is not the reason.
    """
    for disagreement in disagreements:
        subject = f"{disagreement.method} {disagreement.path}"
        claim = f'Write routes = ["{disagreement.path}"] in [tool.routegen.apps.{disagreement.app}].'
        remedy = claim if disagreement.kind == "middleware" else fix
        yield Finding(_RULES[disagreement.kind], subject, f"{disagreement.text}.", remedy)


def _rows(proof: AppProof) -> Iterator[tuple[str, ...]]:
    compared = f"compared for all methods ({proof.routes} served paths)"
    yield proof.app, f"{proof.kinds_of_paths} kinds of paths", compared
    yield "", f"{proof.requests} requests", "sent to the app, to confirm the comparison"
    for kind, request in sorted(proof.excused.items()):
        yield "", f"such as {request}", f"excused: {_EXCUSES.get(kind, f'unsupported, `{kind}`')}"
    if count := proof.answered_by_middleware:
        yield "", f"{count} requests", "answered by middleware, so the router was asked without it"
