"""The resource policy of a function, evaluated as in IAM."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routegen.audit.function_policy import allows_every_account, allows_source, source_arns

ARN = "arn:aws:execute-api:eu-central-1:111122223333:a1b2c3"
SOURCE = f"{ARN}/$default/GET/mcp"


def statement(**parts: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Condition": {"ArnLike": {"AWS:SourceArn": f"{ARN}/*/*"}},
        **parts,
    }


def source(value: object, operator: str = "ArnLike", key: str = "aws:SourceArn") -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], False),
        ([statement()], True),
        ([statement(Principal="*")], True),
        ([statement(Principal={"AWS": "*"})], True),
        ([statement(Principal={"Service": ["events.amazonaws.com", "apigateway.amazonaws.com"]})], True),
        ([statement(Principal={"Service": "events.amazonaws.com"})], False),
        ([statement(Principal={"AWS": "111122223333"})], False),
        ([statement(Action="lambda:*")], True),
        ([statement(Action=["lambda:GetFunction", "LAMBDA:invoke*"])], True),
        ([statement(Action="lambda:GetFunction")], False),
        ([statement(Condition={})], True),
        ([statement(**source(SOURCE, "ArnEquals"))], True),
        ([statement(**source(SOURCE, "StringEquals"))], True),
        ([statement(**source(f"{ARN}/*/*", "StringEquals"))], False),
        ([statement(**source(f"{ARN}/*/*", "StringLikeIfExists"))], True),
        ([statement(**source([f"{ARN}/x/*", f"{ARN}/$default/G?T/mcp"]))], True),
        ([statement(**source(f"{ARN}/*/[GP]*"))], False),
        ([statement(**source("111122223333", "StringEquals", "AWS:SourceAccount"))], True),
        ([statement(**source("444455556666", "StringEquals", "AWS:SourceAccount"))], False),
        ([statement(**source("o-1", "StringEquals", "aws:PrincipalOrgID"))], False),
        ([statement(**source(SOURCE, "ArnNotLike"))], False),
        ([statement(), statement(Effect="Deny")], False),
        ([statement(), statement(Effect="Deny", **source(f"{ARN}/*/POST/*"))], True),
        ([statement(Effect="Deny")], False),
    ],
)
def test_a_policy_allows_or_refuses(statements: list[dict[str, Any]], expected: bool) -> None:
    assert allows_source(statements, SOURCE) is expected


def test_the_source_arns_of_a_route() -> None:
    assert source_arns(ARN, "prod", "$default") == [f"{ARN}/prod/$default"]
    assert source_arns(ARN, "$default", "GET /a/{b+}") == [f"{ARN}/$default/GET/a/{{b+}}"]
    assert len(source_arns(ARN, "$default", "ANY /a")) == 7


@pytest.mark.parametrize("pattern", [f"{ARN}/*/*", f"{ARN}/*", f"{ARN}/*/*/mcp", f"{ARN}/$default/*/mcp"])
def test_the_patterns_that_tools_write_cover_a_route(pattern: str) -> None:
    assert all(allows_source([statement(**source(pattern))], arn) for arn in source_arns(ARN, "$default", "ANY /mcp"))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, False),
        ({"Condition": {}}, True),
        (source("arn:aws:execute-api:*:*:*"), True),
        (source("arn:aws:execute-api:*:111122223333:*"), False),
        (source("111122223333", "StringEquals", "AWS:SourceAccount"), False),
    ],
)
def test_a_policy_for_every_account(parts: dict[str, Any], expected: bool) -> None:
    assert allows_every_account([statement(**parts)]) is expected


@given(st.text(alphabet="ab*?/[]!-", max_size=8), st.text(alphabet="ab/[]!-", max_size=8))
def test_a_pattern_has_only_two_wildcards(pattern: str, text: str) -> None:
    def matches(remaining: str, rest: str) -> bool:
        if not remaining:
            return not rest
        if remaining[0] == "*":
            return matches(remaining[1:], rest) or (bool(rest) and matches(remaining, rest[1:]))
        return bool(rest) and remaining[0] in {"?", rest[0]} and matches(remaining[1:], rest[1:])

    permission = statement(**source(f"{ARN}/{pattern}"))
    assert allows_source([permission], f"{ARN}/{text}") is matches(pattern, text)
