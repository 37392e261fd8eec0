"""Route keys and the translation of an app's paths into them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routegen.gateway import ANY, METHODS, RouteKey, RouteKeyError, below, shape, translate
from routegen.gateway.path_pattern import PARAMETER, may_hold_slash


@pytest.mark.parametrize(
    "text",
    ["GET /", "ANY /mcp", "POST /a/{id}/b", "ANY /files/{proxy+}", "GET /.well-known/x", "DELETE /a%20b", "HEAD /~a"],
)
def test_a_route_key_reads_and_writes_the_same(text: str) -> None:
    assert str(RouteKey.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "says"),
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
def test_what_is_no_route_key(text: str, says: str) -> None:
    with pytest.raises(RouteKeyError, match=r".*") as caught:
        RouteKey.parse(text)
    assert says in str(caught.value)


SEGMENTS = st.from_regex(r"[A-Za-z0-9._~-]{1,8}|\{[a-z]{1,3}\}", fullmatch=True)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))


@given(st.sampled_from([ANY, *sorted(METHODS)]), PATHS)
def test_every_key_that_parses_is_written_back(method: str, path: str) -> None:
    try:
        key = RouteKey.parse(f"{method} {path}")
    except RouteKeyError as error:
        assert "twice" in str(error)  # noqa: PT017 - the one reason that this strategy can give
    else:
        assert str(key) == f"{method} {path}"
        assert RouteKey.parse(str(key)) == key


@given(st.text(max_size=30))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        key = RouteKey.parse(text)
    except RouteKeyError:
        return
    assert str(key) == text


def test_variables_names_do_not_make_another_shape() -> None:
    assert shape("/a/{x}/{rest+}") == shape("/a/{y}/{proxy+}") == ("a", "{}", "{+}")
    assert shape("/a/{x}") != shape("/a/{x+}")
    assert RouteKey.parse("GET /{all+}").swallows_default
    assert not RouteKey.parse("GET /a/{all+}").swallows_default


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
def test_an_apps_path_in_the_gateways_words(starlette: str, gateway: str, widened: str | None) -> None:
    translation = translate(starlette, [CONVERTORS[found or "str"] for _, found in PARAMETER.findall(starlette)])
    assert translation.path == gateway
    assert (translation.widened is None) == (widened is None)
    assert (widened or "") in (translation.widened or "")


def test_a_path_that_no_key_can_carry() -> None:
    with pytest.raises(RouteKeyError, match="ends in '/'"):
        translate("/x/", [])


def test_below_a_path_is_one_segment_or_more() -> None:
    assert below("/mcp") == "/mcp/{proxy+}"


@pytest.mark.parametrize(
    ("regex", "may"),
    [
        ("[^/]+", False), (".*", True), ("[0-9]+", False), (r"\d{4}-\w+", False), (r"\D", True), ("a|b", False),
        ("(a|b/c)", True), ("[+-9]", True), ("[^a]", True), ("(?:x(?=/))?", False), (r"[\W]", True), ("[a-z]*?", False),
    ],
)  # fmt: skip
def test_what_may_hold_a_slash(regex: str, may: bool) -> None:
    assert may_hold_slash(regex) is may


@st.composite
def keys(draw: st.DrawFn) -> RouteKey:
    """A valid route key, from so few parts that two are often almost the same."""
    variables = iter(draw(st.permutations(["x", "y", "z"])))  # a path may name one once only
    parts = ["a", "b", "a-b", "$default", "a+", "::", "%7B%7D", "{}"]
    segments = [*draw(st.lists(st.sampled_from(parts), max_size=2)), draw(st.sampled_from([*parts, "{+}"]))]
    named = [re.sub(r"^\{(\+?)\}$", lambda found: f"{{{next(variables)}{found[1]}}}", one) for one in segments]
    return RouteKey.parse(f"{draw(st.sampled_from(['ANY', 'GET']))} /{'/'.join(named)}")


@given(one=keys(), other=keys())
def test_two_routes_have_one_name_just_where_they_take_the_same_requests(one: RouteKey, other: RouteKey) -> None:
    """The reader of manifests refuses two keys for the same requests, so names never clash."""
    assert (one.nameless == other.nameless) == ((one.method, one.shape) == (other.method, other.shape))
