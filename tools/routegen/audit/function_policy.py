"""Whether the resource policy of a Lambda function lets API Gateway invoke the function for a route.

The policy is evaluated as in IAM ("Policy evaluation logic"): a Deny wins, and an Allow is needed. A statement with an
element that this module does not evaluate (a condition on another key, `NotPrincipal`) allows nothing.
"""

import re
from collections.abc import Iterable, Mapping
from fnmatch import translate
from functools import lru_cache
from typing import Any

from routegen.gateway import ANY, DEFAULT_ROUTE, METHODS, RouteKey

POLICY_LIMIT = 20_480
"""The largest resource policy of a function in bytes ("Lambda quotas")."""

_SERVICE = "apigateway.amazonaws.com"
_ACTION = "lambda:InvokeFunction"
_OTHER_ACCOUNT = "arn:aws:execute-api:eu-central-1:000000000000:0000000000/$default/GET/"
# ArnEquals and ArnLike are the same operator (IAM, "Condition operators").
_PATTERN_OPERATORS = {"arnequals", "arnlike", "stringlike"}
_EQUALITY_OPERATORS = {"stringequals"}


def source_arns(arn: str, stage: str, route_key: str) -> list[str]:
    """Return the source ARNs with which API Gateway invokes the function of a route.

    Args:
        arn: the API's ARN: `arn:aws:execute-api:REGION:ACCOUNT:API`.
        stage: the stage's name.
        route_key: `$default`, or a method and a path, which is in the ARN with its variables.
    """
    if route_key == DEFAULT_ROUTE:
        return [f"{arn}/{stage}/{DEFAULT_ROUTE}"]
    key = RouteKey.parse(route_key)
    methods = sorted(METHODS) if key.method == ANY else [key.method]
    return [f"{arn}/{stage}/{method}{key.path}" for method in methods]


def allows_source(statements: Iterable[Mapping[str, Any]], source_arn: str) -> bool:
    """Whether the statements of a policy let API Gateway invoke the function with a source ARN."""
    effects = {
        statement.get("Effect")
        for statement in statements
        if _covers_invocation(statement) and _conditions_hold(statement.get("Condition"), source_arn)
    }
    return effects == {"Allow"}


def allows_every_account(statements: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the statements of a policy let the APIs of every account invoke the function."""
    return allows_source(statements, _OTHER_ACCOUNT)


def _covers_invocation(statement: Mapping[str, Any]) -> bool:
    actions = _as_texts(statement.get("Action"))
    principal = statement.get("Principal")
    services = _as_texts(principal.get("Service")) if isinstance(principal, dict) else _as_texts(principal)
    every_account = isinstance(principal, dict) and _as_texts(principal.get("AWS")) == ["*"]
    return any(_matches(action.lower(), _ACTION.lower()) for action in actions) and (
        every_account or not {_SERVICE, "*"}.isdisjoint(services)
    )


def _conditions_hold(condition: object, source_arn: str) -> bool:
    """Whether every condition of a statement holds for a request from API Gateway."""
    if not condition:
        return True
    request_values = {"aws:sourcearn": source_arn, "aws:sourceaccount": source_arn.split(":")[4]}
    if not isinstance(condition, dict):
        return False
    return all(
        _condition_holds(operator.lower().removesuffix("ifexists"), request_values.get(key.lower()), _as_texts(values))
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def _condition_holds(operator: str, request_value: str | None, values: list[str]) -> bool:
    if request_value is None:
        return False
    if operator in _EQUALITY_OPERATORS:
        return request_value in values
    return operator in _PATTERN_OPERATORS and any(_matches(pattern, request_value) for pattern in values)


def _matches(pattern: str, text: str) -> bool:
    return bool(_compile_pattern(pattern).fullmatch(text))


@lru_cache(maxsize=1024)
def _compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of IAM, which has the wildcards `*` and `?` but no brackets."""
    return re.compile(translate(pattern.replace("[", "[[]")))


def _as_texts(value: object) -> list[str]:
    if value is None:
        return []
    return [f"{item}" for item in value] if isinstance(value, list) else [f"{value}"]
