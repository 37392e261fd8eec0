"""Whether a function's resource policy lets API Gateway invoke it for a route.

A policy is read as IAM does ("Policy evaluation logic"): a Deny wins, an Allow is needed. What is not known here (a
condition on another key, `NotPrincipal`) allows nothing.
"""

import re
from collections.abc import Iterable, Mapping
from fnmatch import translate
from functools import lru_cache
from typing import Any

from routegen.gateway import ANY, RouteKey
from routegen.gateway.route_key import METHODS

POLICY_LIMIT = 20_480
"""Bytes of a function's resource-based policy ("Lambda quotas")."""

_SERVICE = "apigateway.amazonaws.com"
_ACTION = "lambda:InvokeFunction"
_FOREIGN = "arn:aws:execute-api:eu-central-1:000000000000:0000000000/$default/GET/"
# ArnEquals and ArnLike are the same operator (IAM, "Condition operators").
_PATTERNS = {"arnequals", "arnlike", "stringlike"}
_PLAIN = {"stringequals"}


def sources(arn: str, stage: str, route_key: str) -> list[str]:
    """The source ARNs with which API Gateway invokes the function behind a route.

    Args:
        arn: the API's: `arn:aws:execute-api:REGION:ACCOUNT:API`.
        stage: its name.
        route_key: `$default`, or a method and a path: the path stands in the ARN with its variables.
    """
    if route_key == "$default":
        return [f"{arn}/{stage}/$default"]
    key = RouteKey.parse(route_key)
    methods = sorted(METHODS) if key.method == ANY else [key.method]
    return [f"{arn}/{stage}/{method}{key.path}" for method in methods]


def allows(statements: Iterable[Mapping[str, Any]], source: str) -> bool:
    """Whether API Gateway may invoke the function with that source ARN."""
    effects = {one.get("Effect") for one in statements if _is_about(one) and _holds(one.get("Condition"), source)}
    return effects == {"Allow"}


def allows_strangers(statements: Iterable[Mapping[str, Any]]) -> bool:
    """Whether an API of any other account may invoke the function too."""
    return allows(statements, _FOREIGN)


def _is_about(statement: Mapping[str, Any]) -> bool:
    actions = _list(statement.get("Action"))
    principal = statement.get("Principal")
    services = _list(principal.get("Service")) if isinstance(principal, dict) else _list(principal)
    named = isinstance(principal, dict) and _list(principal.get("AWS")) == ["*"]
    return any(_matches(action.lower(), _ACTION.lower()) for action in actions) and (
        named or not {_SERVICE, "*"}.isdisjoint(services)
    )


def _holds(condition: object, source: str) -> bool:
    """Whether each condition holds for a request of API Gateway's."""
    if not condition:
        return True
    facts = {"aws:sourcearn": source, "aws:sourceaccount": source.split(":")[4]}
    if not isinstance(condition, dict):
        return False
    return all(
        _one_holds(operator.lower().removesuffix("ifexists"), facts.get(key.lower()), _list(wanted))
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def _one_holds(operator: str, fact: str | None, wanted: list[str]) -> bool:
    if fact is None:
        return False
    if operator in _PLAIN:
        return fact in wanted
    return operator in _PATTERNS and any(_matches(pattern, fact) for pattern in wanted)


def _matches(pattern: str, text: str) -> bool:
    return bool(_compiled(pattern).fullmatch(text))


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """IAM knows `*` and `?` and no brackets."""
    return re.compile(translate(pattern.replace("[", "[[]")))


def _list(value: object) -> list[str]:
    if value is None:
        return []
    return [f"{one}" for one in value] if isinstance(value, list) else [f"{value}"]
