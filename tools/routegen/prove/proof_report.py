"""The report of `routegen prove`."""

from collections.abc import Sequence
from dataclasses import asdict

from routegen.prove.compare_requests import AppProof, Disagreement
from routegen.report import Finding, Report, Rule, Section, rules

_RULES: dict[str, Rule] = {"under-routed": rules.UNDER_ROUTED, "over-routed": rules.OVER_ROUTED}


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
        findings=tuple(_finding(disagreement, fix) for proof in proofs for disagreement in proof.disagreements),
        success="no disagreement",
        sections=(Section("Apps", tuple(row for proof in proofs for row in _rows(proof))),),
        details={"apps": [asdict(proof) for proof in proofs]},
    )


def _finding(disagreement: Disagreement, fix: str) -> Finding:
    subject = f"{disagreement.method} {disagreement.path}"
    return Finding(_RULES[disagreement.kind], subject, f"{disagreement.text}.", fix)


def _rows(proof: AppProof) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [(proof.app, f"{proof.requests} requests", f"made from {proof.routes} served paths")]
    rows += [
        ("", f"{count} requests", f"excused: unsupported, `{kind}`") for kind, count in sorted(proof.excused.items())
    ]
    if proof.answered_by_middleware:
        count = proof.answered_by_middleware
        rows.append(("", f"{count} requests", "answered by middleware, so the router was asked without it"))
    return rows
