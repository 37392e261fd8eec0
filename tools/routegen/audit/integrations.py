"""What stands behind the routes: integrations, functions, permissions."""

from collections.abc import Iterator, Mapping

from routegen.audit.arns import short_name
from routegen.audit.deployed import Function, Integration
from routegen.audit.owners import Placed
from routegen.audit.permission import POLICY_LIMIT, allows, allows_strangers, sources
from routegen.report import Finding, rules

_NEAR = 0.8
_SHOWN = 3


def integrations(routes: list[Placed]) -> Iterator[Finding]:
    """Whether each integration in use hands the request to a function as it is."""
    used = {one.integration.id: (one.integration, one.function) for one in routes if one.integration}
    for name, (found, function) in sorted(used.items()):
        keys = _some([one.route.key for one in routes if one.integration is found])
        subject = short_name(function) if function else name
        if function is None or found.kind != "AWS_PROXY":
            yield Finding(rules.NOT_PROXY, subject, f"{keys}: {_kind(found)}.", "Deploy the manifest.")
            continue
        if found.payload != "2.0":
            said = f"{keys}: the function gets events of payload format {found.payload}."
            yield Finding(rules.PAYLOAD, subject, said, 'Set payload_format_version to "2.0" on the integration.')
        if found.changes:
            said = f"{keys}: a parameter mapping changes {', '.join(found.changes)}."
            todo = "Check that no path, Host, Authorization or WWW-Authenticate is changed, or remove it."
            yield Finding(rules.PARAMETER_MAPPING, subject, said, todo)


def functions(routes: list[Placed], known: Mapping[str, Function], arn: str, stage: str) -> Iterator[Finding]:
    """Whether each function is there, and the API may invoke it for all of its routes."""
    for name, function in sorted(known.items()):
        ours = [one for one in routes if one.function == name]
        if not ours:
            continue
        subject = short_name(name)
        if function.trouble:
            todo = "Deploy the function, or mend what its state names."
            said = f"{_some([one.route.key for one in ours])}: {function.trouble}."
            yield Finding(rules.FUNCTION, subject, said, todo)
        if function.policy_size >= POLICY_LIMIT * _NEAR:
            said = f"The resource policy has {function.policy_size} bytes of {POLICY_LIMIT}."
            todo = f"Give one permission for the whole API, {arn}/*/*, instead of one for each route."
            yield Finding(rules.POLICY_SIZE, subject, said, todo)
        by_role = [one for one in ours if one.integration and one.integration.role]
        if by_role:
            role = by_role[0].integration.role if by_role[0].integration else ""
            todo = f"Check that {role} allows lambda:InvokeFunction for it."
            yield Finding(rules.ROLE, subject, f"API Gateway invokes it as {role}.", todo)
        if function.statements is not None and not function.trouble.startswith("there is no"):
            yield from _permissions([one for one in ours if one not in by_role], function, arn, stage)


def _permissions(ours: list[Placed], function: Function, arn: str, stage: str) -> Iterator[Finding]:
    statements = function.statements or ()
    subject = short_name(function.arn)
    keys = [one.route.key for one in ours]
    refused = [key for key in keys if not all(allows(statements, source) for source in sources(arn, stage, key))]
    todo = f"Add a permission: apigateway.amazonaws.com, lambda:InvokeFunction, source {arn}/*/*."
    if refused and refused == keys:
        said = f"Its policy doesn't let the API invoke it: {_some(refused)} would answer 500."
        yield Finding(rules.NO_PERMISSION, subject, said, todo)
    elif refused:
        said = f"Its policy doesn't cover {_some(refused)}, which would answer 500."
        yield Finding(rules.NARROW_PERMISSION, subject, said, todo)
    if allows_strangers(statements):
        said = "Its policy lets API Gateway invoke it for every API of every account."
        yield Finding(rules.WIDE_PERMISSION, subject, said, f"Give the permission the source {arn}/*/*.")


def _kind(found: Integration) -> str:
    if found.kind == "AWS_PROXY" and not found.subtype:
        return f"the integration's URI {found.uri or 'is empty and'} is no function's"
    return f"the integration is {found.kind}{' ' if found.subtype else ''}{found.subtype}"


def _some(keys: list[str]) -> str:
    more = len(keys) - _SHOWN
    return ", ".join(keys[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
