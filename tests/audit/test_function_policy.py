"""A function's policy, read as IAM reads it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routegen.audit.permission import allows, allows_strangers, sources

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
def test_a_policy(statements: list[dict[str, Any]], expected: bool) -> None:
    assert allows(statements, SOURCE) is expected


def test_the_sources_of_a_route() -> None:
    assert sources(ARN, "prod", "$default") == [f"{ARN}/prod/$default"]
    assert sources(ARN, "$default", "GET /a/{b+}") == [f"{ARN}/$default/GET/a/{{b+}}"]
    assert len(sources(ARN, "$default", "ANY /a")) == 7


@pytest.mark.parametrize("pattern", [f"{ARN}/*/*", f"{ARN}/*", f"{ARN}/*/*/mcp", f"{ARN}/$default/*/mcp"])
def test_what_tools_write_for_a_route_covers_it(pattern: str) -> None:
    assert all(allows([statement(**source(pattern))], one) for one in sources(ARN, "$default", "ANY /mcp"))


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
def test_strangers(parts: dict[str, Any], expected: bool) -> None:
    assert allows_strangers([statement(**parts)]) is expected


@given(st.text(alphabet="ab*?/[]!-", max_size=8), st.text(alphabet="ab/[]!-", max_size=8))
def test_a_pattern_has_two_wildcards_and_no_more(pattern: str, text: str) -> None:
    def matches(wanted: str, rest: str) -> bool:
        if not wanted:
            return not rest
        if wanted[0] == "*":
            return matches(wanted[1:], rest) or (bool(rest) and matches(wanted, rest[1:]))
        return bool(rest) and wanted[0] in {"?", rest[0]} and matches(wanted[1:], rest[1:])

    wanted = statement(**source(f"{ARN}/{pattern}"))
    assert allows([wanted], f"{ARN}/{text}") is matches(pattern, text)
