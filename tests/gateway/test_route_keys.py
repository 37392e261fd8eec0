"""Route keys and the translation of an app's paths into them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routegen.gateway import ANY, METHODS, RouteKey, RouteKeyError, shape, subtree_path, translate_path
from routegen.gateway.path_pattern import PARAMETER
from routegen.gateway.regex_tree import may_match_slash


@pytest.mark.parametrize(
    "text",
    ["GET /", "ANY /mcp", "POST /a/{id}/b", "ANY /files/{proxy+}", "GET /.well-known/x", "DELETE /a%20b", "HEAD /~a"],
)
def test_a_route_key_is_written_as_it_was_parsed(text: str) -> None:
    assert str(RouteKey.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$default", "default app"),
        ("GET", "not of the form"),
        ("get /x", "not a method"),
        ("TRACE /x", "not a method"),
        ("GET x", "does not start with '/'"),
        ("GET  /x", "does not start with '/'"),
        ("GET /x/", "ends in '/'"),
        ("GET //x", "empty segment"),
        ("GET /{a+}/x", "the last segment"),
        ("GET /{a}/{a}", "twice"),
        ("GET /x{a}", "neither a literal nor one whole variable"),
        ("GET /{a}.json", "neither a literal nor one whole variable"),
        ("GET /{}", "neither a literal nor one whole variable"),
        ("GET /a b", "a character"),
        ("GET /a?b", "a character"),
        ("GET /a#b", "a character"),
        ("GET /%zz", "a character"),
        ("GET /é", "a character"),
        ("GET /a\n", "a character"),
    ],
)
def test_a_text_that_is_no_route_key_is_refused(text: str, reason: str) -> None:
    with pytest.raises(RouteKeyError, match=r".*") as caught:
        RouteKey.parse(text)
    assert reason in str(caught.value)


SEGMENTS = st.from_regex(r"[A-Za-z0-9._~-]{1,8}|\{[a-z]{1,3}\}", fullmatch=True)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))


@given(st.sampled_from([ANY, *sorted(METHODS)]), PATHS)
def test_a_generated_route_key_is_written_as_it_was_parsed(method: str, path: str) -> None:
    try:
        key = RouteKey.parse(f"{method} {path}")
    except RouteKeyError as error:
        assert "twice" in str(error)  # noqa: PT017 - the one reason that this strategy can give
    else:
        assert str(key) == f"{method} {path}"
        assert RouteKey.parse(str(key)) == key


@given(st.text(max_size=30))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        key = RouteKey.parse(text)
    except RouteKeyError:
        return
    assert str(key) == text


def test_the_names_of_variables_are_no_part_of_a_shape() -> None:
    assert shape("/a/{x}/{rest+}") == shape("/a/{y}/{proxy+}") == ("a", "{}", "{+}")
    assert shape("/a/{x}") != shape("/a/{x+}")
    assert RouteKey.parse("GET /{all+}").takes_every_path
    assert not RouteKey.parse("GET /a/{all+}").takes_every_path


CONVERTORS = {"str": "[^/]+", "path": ".*", "int": "[0-9]+", "uuid": "[0-9a-f-]+", "own": "[a-z]+|[^x]"}


@pytest.mark.parametrize(
    ("starlette", "gateway", "widened"),
    [
        ("/", "/", None),
        ("/mcp", "/mcp", None),
        ("/a/{id}", "/a/{id}", None),
        ("/a/{id:str}/b", "/a/{id}/b", None),
        ("/raw/{rest:path}", "/raw/{rest+}", None),
        ("/a/{id:int}", "/a/{id}", "takes only int"),
        ("/a/{id:uuid}", "/a/{id}", "takes only uuid"),
        ("/a/{id:own}", "/a/{id+}", "takes only own"),
        ("/{id}/{id}", "/{id}/{id_2}", None),
        ("/a b/caf\u00e9/100%", "/a%20b/caf%C3%A9/100%25", None),
        ("/a{b/}", "/a%7Bb/%7D", None),
        ("/a/{name}.json", "/a/{name}", "mixes text and variables"),
        ("/a/{x}-{y}", "/a/{x}", "mixes text and variables"),
        ("/raw/{rest:path}/end", "/raw/{rest+}", "the last segment"),
        ("/v{version:path}", "/{version+}", "mixes text and variables"),
    ],
)
def test_translation_of_a_starlette_path(starlette: str, gateway: str, widened: str | None) -> None:
    translation = translate_path(starlette, [CONVERTORS[name or "str"] for _, name in PARAMETER.findall(starlette)])
    assert translation.path == gateway
    assert (translation.widened is None) == (widened is None)
    assert (widened or "") in (translation.widened or "")


def test_translation_refuses_a_path_that_no_route_key_can_have() -> None:
    with pytest.raises(RouteKeyError, match="ends in '/'"):
        translate_path("/x/", [])


def test_a_subtree_is_a_greedy_variable_below_the_path() -> None:
    assert subtree_path("/mcp") == "/mcp/{proxy+}"


@pytest.mark.parametrize(
    ("regex", "may_match"),
    [
        ("[^/]+", False), (".*", True), ("[0-9]+", False), (r"\d{4}-\w+", False), (r"\D", True), ("a|b", False),
        ("(a|b/c)", True), ("[+-9]", True), ("[^a]", True), ("(?:x(?=/))?", False), (r"[\W]", True), ("[a-z]*?", False),
    ],
)  # fmt: skip
def test_regexes_that_may_match_a_slash(regex: str, may_match: bool) -> None:
    assert may_match_slash(regex) is may_match


@st.composite
def keys(draw: st.DrawFn) -> RouteKey:
    """A valid route key, from so few parts that two are often almost the same."""
    variables = iter(draw(st.permutations(["x", "y", "z"])))  # a path can name each variable only once
    parts = ["a", "b", "a-b", "$default", "a+", "::", "%7B%7D", "{}"]
    segments = [*draw(st.lists(st.sampled_from(parts), max_size=2)), draw(st.sampled_from([*parts, "{+}"]))]
    named = [re.sub(r"^\{(\+?)\}$", lambda match: f"{{{next(variables)}{match[1]}}}", part) for part in segments]
    return RouteKey.parse(f"{draw(st.sampled_from(['ANY', 'GET']))} /{'/'.join(named)}")


@given(key=keys(), other=keys())
def test_keys_have_the_same_name_exactly_if_they_take_the_same_requests(key: RouteKey, other: RouteKey) -> None:
    """A manifest cannot have two keys for the same requests, so names of resources never clash."""
    same_name = key.without_variable_names == other.without_variable_names
    assert same_name == ((key.method, key.shape) == (other.method, other.shape))
