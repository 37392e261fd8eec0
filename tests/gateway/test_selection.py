"""Route selection: AWS's own example, observed facts, the assumptions, and a second, naive implementation."""

import re
from urllib.parse import unquote

import pytest
from helpers.naive import select_naively
from hypothesis import given, settings
from hypothesis import strategies as st
from routegen.gateway import ANY, RouteKey, RouteTable, assumptions, path_regex, sort_route_keys

# "Create routes for HTTP APIs", AWS: the example of route priority.
DOCUMENTED = ["GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}"]


def select(keys: list[str], method: str, path: str) -> str | None:
    key = RouteTable(map(RouteKey.parse, keys)).select(method, path)
    return str(key) if key else None


@pytest.mark.parametrize(
    ("request_", "selected"),
    [
        ("GET /pets/dog/1", "GET /pets/dog/1"),
        ("GET /pets/dog/2", "GET /pets/dog/{id}"),
        ("GET /pets/cat/1", "GET /pets/{proxy+}"),
        ("POST /test/5", "ANY /{proxy+}"),
        ("POST /pets/dog/1", "ANY /{proxy+}"),
    ],
)
def test_the_example_in_the_documentation_of_aws(request_: str, selected: str) -> None:
    method, path = request_.split()
    assert select(DOCUMENTED, method, path) == selected


@pytest.mark.parametrize(
    ("keys", "request_", "selected"),
    [
        (["ANY /mcp", "GET /mcp"], "GET /mcp", "GET /mcp"),
        (["ANY /mcp", "GET /mcp"], "POST /mcp", "ANY /mcp"),
        (["POST /mcp"], "GET /mcp", None),
        (["ANY /mcp"], "GET /mcp/", None),
        (["ANY /mcp"], "GET /MCP", None),
        (["ANY /mcp"], "GET /mcpx", None),
        (["ANY /mcp"], "GET /x/mcp", None),
        (["ANY /mcp"], "GET //mcp", None),
        (["GET /mcp"], "HEAD /mcp", None),
        (["ANY /mcp/{proxy+}"], "GET /mcp", None),
        (["ANY /mcp/{proxy+}"], "GET /mcp/", None),
        (["ANY /mcp/{proxy+}"], "GET /mcp/a", "ANY /mcp/{proxy+}"),
        (["ANY /mcp/{proxy+}"], "GET /mcp/a/b/", "ANY /mcp/{proxy+}"),
        (["ANY /a/{p+}", "ANY /a/b/{p+}"], "GET /a/b/c", "ANY /a/b/{p+}"),
        (["ANY /a/{p+}", "POST /a/b/{p+}"], "GET /a/b/c", "ANY /a/{p+}"),
        (["ANY /a/{p+}", "ANY /{x}/b"], "GET /a/b", "ANY /{x}/b"),
        (["ANY /a/{x}", "ANY /a/b"], "GET /a/b", "ANY /a/b"),
        (["GET /a/{x}", "ANY /a/b"], "GET /a/b", "ANY /a/b"),
        (["ANY /"], "GET /", "ANY /"),
        (["ANY /a/{x}"], "GET /a/", None),
        (["ANY /mcp"], "GET /%6dcp", "ANY /mcp"),
        (["ANY /a/{x}"], "GET /a/b%2Fc", None),
        (["ANY /a/b"], "GET /a%2Fb", "ANY /a/b"),
        (["ANY /{x}"], "GET /%7Bx%7D", "ANY /{x}"),
        (["ANY /%7Bx%7D"], "GET /%7bx%7d", "ANY /%7Bx%7D"),
        (["ANY /%7Bx%7D"], "GET /%257Bx%7D", None),
        (["ANY /%257Bx"], "GET /%7Bx", None),
        (["ANY /%257Bx"], "GET /%257bx", None),
        (["ANY /%257Bx"], "GET /%257Bx", "ANY /%257Bx"),
        (["ANY /mcp"], "GET /./mcp", None),
        (["ANY /mcp"], "GET /x/../mcp", None),
        (["ANY /caf%C3%A9"], "GET /caf%c3%a9", "ANY /caf%C3%A9"),
        (["ANY /a%20b"], "GET /a%20b", "ANY /a%20b"),
    ],
)
def test_selection_that_is_observed_or_assumed(keys: list[str], request_: str, selected: str | None) -> None:
    method, path = request_.split()
    assert select(keys, method, path) == selected


@pytest.mark.parametrize(
    ("assumption", "keys", "request_", "if_true", "if_false"),
    [
        ("TRAILING_SLASH_MATCHES", ["ANY /mcp"], "GET /mcp/", "ANY /mcp", None),
        ("GREEDY_MATCHES_EMPTY", ["ANY /mcp/{proxy+}"], "GET /mcp/", "ANY /mcp/{proxy+}", None),
        ("GREEDY_MATCHES_EMPTY", ["ANY /{proxy+}"], "GET /", "ANY /{proxy+}", None),
        ("HEAD_MATCHES_GET", ["GET /mcp"], "HEAD /mcp", "GET /mcp", None),
        ("PATH_IS_DECODED", ["ANY /mcp"], "GET /%6dcp", "ANY /mcp", None),
        ("PATH_IS_DECODED", ["ANY /a/b"], "GET /a%2Fb", "ANY /a/b", None),
        ("SLASHES_ARE_MERGED", ["ANY /a/b"], "GET /a//b", "ANY /a/b", None),
        ("DOT_SEGMENTS_ARE_REMOVED", ["ANY /a/b"], "GET /x/../a/./b", "ANY /a/b", None),
        ("PATH_OUTRANKS_METHOD", ["GET /a/{x}", "ANY /a/b"], "GET /a/b", "ANY /a/b", "GET /a/{x}"),
    ],
)
def test_selection_follows_each_assumption(
    assumption: str, keys: list[str], request_: str, if_true: str, if_false: str | None
) -> None:
    method, path = request_.split()
    assert select(keys, method, path) == (if_true if getattr(assumptions, assumption) else if_false)


LITERAL = st.sampled_from(["a", "b", "c", ".well-known"])
PART = st.one_of(LITERAL, st.just("{x}"))
KEY_PATHS = st.builds(
    lambda parts, last: "/" + "/".join([f"{{v{i}}}" if p == "{x}" else p for i, p in enumerate(parts)] + last),
    st.lists(PART, max_size=4),
    st.sampled_from([[], ["{rest+}"]]),
)
KEYS = st.lists(
    st.builds(RouteKey, KEY_PATHS, st.sampled_from(["GET", "POST", ANY])),
    max_size=12,
    unique_by=lambda key: (key.method, key.shape),
)
REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(["GET", "POST", "HEAD"]),
        st.lists(st.one_of(LITERAL, st.sampled_from(["", "z", "A"])), max_size=5).map(
            lambda parts: "/" + "/".join(parts)
        ),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(KEYS, REQUESTS)
def test_route_table_agrees_with_the_naive_matcher(keys: list[RouteKey], requests: list[tuple[str, str]]) -> None:
    table = RouteTable(keys)
    for method, path in requests:
        assert table.select(method, path) == select_naively(keys, method, unquote(path)), (method, path)


ENCODED_SEGMENTS = [
    ".well-known",
    "a.b",
    "a+b",
    "%20",
    "%22",
    "%7Bx%7D",
    "%257Bx%7D",
    "%25",
    "a%2Fb",
    "caf%C3%A9",
    "$",
    "(x)",
    "%0A",
]
ENCODED_KEYS = st.lists(
    st.builds(
        lambda parts, end, method: RouteKey("/" + "/".join(parts) + end, method),
        st.lists(st.sampled_from([*ENCODED_SEGMENTS, "a"]), min_size=1, max_size=3),
        st.sampled_from(["", "/{x}", "/{rest+}"]),
        st.sampled_from(["GET", ANY]),
    ),
    max_size=8,
    unique_by=lambda key: (key.method, key.shape),
)
ENCODED_REQUESTS = st.lists(
    st.lists(st.sampled_from([*ENCODED_SEGMENTS, "a", "aXb", "", "%0a"]), max_size=4).map(
        lambda parts: ("GET", "/" + "/".join(parts))
    ),
    min_size=1,
    max_size=40,
)


def first_match(keys: list[RouteKey], method: str, path: str) -> RouteKey | None:
    for key in sort_route_keys(keys):
        if key.method in {method, ANY} and re.fullmatch(path_regex(key.path), path):
            return key
    return None


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.tuples(KEYS, REQUESTS), st.tuples(ENCODED_KEYS, ENCODED_REQUESTS)))
def test_the_first_match_in_sorted_order_is_selected(
    case: tuple[list[RouteKey], list[tuple[str, str]]],
) -> None:
    keys, requests = case
    table = RouteTable(keys)
    for method, path in requests:
        assert first_match(keys, method, unquote(path)) == table.select(method, path), (method, path)


@settings(max_examples=100)
@given(KEYS, REQUESTS)
def test_the_order_of_the_keys_does_not_matter(keys: list[RouteKey], requests: list[tuple[str, str]]) -> None:
    table, reversed_table = RouteTable(keys), RouteTable(reversed(keys))
    assert all(table.select(*request) == reversed_table.select(*request) for request in requests)
