"""Generate requests for the parts of an app that cannot be proven for all paths, and for what middleware answers.

The requests are made from the paths of these parts, from the manifest's route keys, and from mutations of both.
Control characters are left out: Python's `$` matches before a final newline, which no client sends.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from routegen.discover import ServedPath, ServedRoutes
from routegen.gateway import encode_path
from routegen.gateway.path_pattern import PathSegment, split_key_path, split_path
from routegen.gateway.selection_model import EVERY_METHOD
from routegen.manifest import Manifest
from routegen.prove.all_paths import PathsProof
from routegen.roles import list_discovery_paths

_FEW_METHODS = ("GET", "POST")
# Most convertors match some of these words; the first two that match are tried, and the first that does not.
_WORDS = (
    "", "x", "7", "a/b", "1.5", "6fa459ea-ee8a-3ca4-894e-db77e160355e", "2024-02-29", "a-b", "A", "en", "x.y", "abc123",
    "0" * 24, "v1", "true", "12:30", "2024-02-29T12:30:00", "a_b", "ab12", "-1", "1-2", "é", "x y", "%", "a@b.example",
)  # fmt: skip

MethodAndPath = tuple[str, str]
"""A request: its method, and its path percent-encoded as in a request line."""


def requests_to_send(manifest: Manifest, routes: ServedRoutes, paths: PathsProof) -> list[MethodAndPath]:
    """Return the requests that confirm a proof, and those that sample the parts without a proof, each once."""
    undecided = [routes.paths[position] for position in sorted(paths.undecided_positions)]
    keys = [route.path for route in manifest.routes] if undecided else []
    return list(dict.fromkeys([*paths.requests, *_discovery_requests(routes.paths), *_samples(undecided, keys)]))


def _discovery_requests(served_paths: Sequence[ServedPath]) -> Iterator[MethodAndPath]:
    """Yield requests for the paths at which clients look for documents: middleware can answer there."""
    for method in (*_FEW_METHODS, "HEAD", "OPTIONS"):
        for path in ("/", *list_discovery_paths(served.path for served in served_paths)):
            yield method, encode_path(path)


def _samples(undecided: Sequence[ServedPath], key_paths: Sequence[str]) -> Iterator[MethodAndPath]:
    for segments, methods in (
        *((split_path(served.path, served.regexes), served.methods or ()) for served in undecided),
        *((split_key_path(path), ()) for path in key_paths),
    ):
        for example in _example_paths(segments):
            encoded = encode_path(example)
            yield from ((method, encoded) for method in EVERY_METHOD)
            few_methods = (*_FEW_METHODS, *methods[:1])
            yield from ((method, mutation) for mutation in _mutations(encoded) for method in few_methods)


def _example_paths(segments: Sequence[PathSegment]) -> Iterator[str]:
    """Yield two decoded paths that a path matches, and one that it does not match if that is possible."""
    for choice in range(2):
        yield "/" + "/".join(_matching_text(segment, choice) for segment in segments)
    yield "/" + "/".join(segment.source if segment.is_literal else _text_without_match(segment) for segment in segments)


def _matching_text(segment: PathSegment, choice: int) -> str:
    if segment.is_literal:
        return segment.source
    candidates = (text for word in _WORDS for text in (_fill(segment, word), word) if segment.matches(text))
    texts = list(islice(candidates, choice + 1))
    return texts[-1] if texts else "x"


def _fill(segment: PathSegment, word: str) -> str:
    """Return the segment with the same word for each variable."""
    return re.sub(r"\{[^}]*\}", lambda _: word, segment.source)


def _text_without_match(segment: PathSegment) -> str:
    return next((word for word in _WORDS if word and "/" not in word and not segment.matches(word)), "x")


def _mutations(path: str) -> Iterator[str]:
    """Yield the neighbours, the parents and the children of an encoded path, and other encodings of it."""
    parent, _, last = path.rpartition("/")
    yield from (f"{path}/", f"{path}//", f"{path}/x", f"{path}/x/y", f"/{path}", f"{path}x", f"{path}/..", f"{path}/.")
    yield from (parent or "/", f"{parent}/", f"{parent}/neighbour", f"{parent}/./{last}", f"{parent}//{last}")
    if len(last) > 1 and not last.startswith("%"):
        yield f"{parent}/{last[:-1]}" if "%" not in last[-3:] else f"{parent}/{last[:-3]}"
        yield f"{parent}/%{ord(last[0]):02X}{last[1:]}"
    if parent:
        yield f"{parent}%2F{last}"
    if path != path.upper():
        yield path.swapcase() if "%" not in path else f"{path}X"
