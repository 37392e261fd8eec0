"""The automaton that tells which patterns match the same paths, compared with Python's `re` and with each other."""

import re
from itertools import product

import pytest
from helpers.naive import select_naively
from hypothesis import given, settings
from hypothesis import strategies as st
from routegen.gateway import RouteKey, RouteTable
from routegen.gateway.automaton import PathAutomaton, TooManyStatesError
from routegen.gateway.regex_tree import NotRegularError, Regex
from routegen.gateway.selection_model import SelectionModel

REGULAR = [
    "[^/]+", ".*", ".+", "(?:en|de)?", "[0-9]+", r"\d{2}", "a{1,3}b?", "(ab|a)(c|bcd)*", r"[\w-]+", r"\W", "[^a/]",
    "x*?y", "(?:a|)(?:b|)", r"a\.b", "", "(a(b(c)?)*)+", r"[^\s\S]",
]  # fmt: skip
PATHS = ["/" + "".join(characters) for length in range(5) for characters in product("/ab1.", repeat=length)]


def expected_labels(patterns: dict[str, list[str]], path: str) -> set[str]:
    sources = {
        label: "".join(f"(?:{part})" if isinstance(part, Regex) else re.escape(part) for part in parts)
        for label, parts in patterns.items()
    }
    return {label for label, source in sources.items() if re.fullmatch(source, path)}


@pytest.mark.parametrize("regex", REGULAR)
def test_an_expression_matches_as_in_python(regex: str) -> None:
    patterns = {"alone": ["/", Regex(regex)], "between": ["/a", Regex(regex), "/b"], "other": ["/a", Regex("[^/]+")]}
    automaton = PathAutomaton()
    for label, parts in patterns.items():
        automaton.add(parts, label)
    for path in PATHS:
        assert automaton.kind_of(path).labels == expected_labels(patterns, path), path


@pytest.mark.parametrize("regex", REGULAR)
def test_the_walk_finds_each_kind_of_paths_with_a_shortest_example(regex: str) -> None:
    automaton = PathAutomaton()
    automaton.add(["/", Regex(regex)], "alone")
    automaton.add(["/a", Regex(regex), "/b"], "between")
    automaton.add(["/", Regex(".*")], "all")
    kinds = automaton.walk()
    for path in PATHS:
        kind = automaton.kind_of(path)
        assert len(kinds[kind][0]) <= len(path), (path, kind)
    for kind, examples in kinds.items():
        assert all(automaton.kind_of(example) == kind for example in examples), kind


@pytest.mark.parametrize(
    ("regex", "reason"),
    [
        ("(?!x)[^/]+", "a look-around"),
        ("(?<=a)b", "a look-around"),
        (r"(a)\1", "a back-reference"),
        ("^a$", "an anchor or a word boundary"),
        (r"\bword", "an anchor or a word boundary"),
        ("(?i:a)", "a flag"),
        ("a{1001}", "more than 1000 repeats"),
        ("(?:a{100}){100}", "more than 1000 repeats"),
    ],
)
def test_an_expression_that_is_not_regular_is_refused_by_name(regex: str, reason: str) -> None:
    automaton = PathAutomaton()
    with pytest.raises(NotRegularError, match=re.escape(reason)):
        automaton.add(["/a", Regex("[^/]+"), Regex(regex)], "x")
    automaton.add(["/", Regex(".*")], "all")
    assert set().union(*(kind.labels for kind in automaton.walk())) == {"all"}


@pytest.mark.parametrize("character", ["٣", "7", "é", "_", " ", "\u2028", "/"])
def test_character_classes_take_the_characters_that_python_takes(character: str) -> None:
    for regex in (r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", ".", r"[^\d/]", r"[\w/]"):
        automaton = PathAutomaton()
        automaton.add(["/", Regex(regex)], regex)
        matches = re.fullmatch(regex, character) is not None
        assert (automaton.kind_of(f"/{character}").labels == {regex}) is matches, regex


def test_a_walk_that_needs_too_many_states_gives_up() -> None:
    automaton = PathAutomaton()
    for number in range(8):
        automaton.add(["/z/", Regex(".*"), f"/a{number}/", Regex(".*"), f"/b{number}"], number)
    with pytest.raises(TooManyStatesError):
        automaton.walk(2000)


def test_a_kind_tells_what_matches_the_path_with_another_end() -> None:
    automaton = PathAutomaton()
    automaton.add(["/a"], "bare")
    automaton.add(["/b/"], "slash")
    assert automaton.kind_of("/a/").other_slash_labels == {"bare"}
    assert automaton.kind_of("/a//").other_slash_labels == {"bare"}
    assert automaton.kind_of("/b").other_slash_labels == {"slash"}
    assert automaton.kind_of("/b/") not in (automaton.kind_of("/b"), automaton.kind_of("/a/"))


SEGMENTS = st.sampled_from(["a", "b", "a%2Fb", "{x}", "%7Bx%7D"])
KEY_PATHS = st.builds(
    lambda segments, end: "/" + "/".join([*dict.fromkeys(segments), *end]),
    st.lists(SEGMENTS, max_size=3),
    st.sampled_from([[], [], ["{rest+}"]]),
)
KEYS = st.lists(st.builds(RouteKey, KEY_PATHS, st.sampled_from(["ANY", "GET", "POST"])), max_size=6, unique=True)
REQUEST_PATHS = ["/" + "/".join(parts) for length in range(4) for parts in product(["", "a", "b", "c"], repeat=length)]


@settings(max_examples=60, deadline=None)
@given(KEYS)
def test_three_implementations_select_the_same_route_key(keys: list[RouteKey]) -> None:
    keys = list({(key.method, key.shape): key for key in keys}.values())
    automaton = PathAutomaton()
    model, table = SelectionModel(keys, automaton), RouteTable(keys)
    for path in REQUEST_PATHS:
        for method in ("GET", "POST", "PUT"):
            selected = model.select(automaton.kind_of(path), method)
            assert selected == table.select(method, path) == select_naively(keys, method, path), (method, path)
