"""Generate requests for the parts of an app that cannot be proven for all paths, and for what middleware answers.

The requests are made from the paths of these parts and from the manifest's route keys. Control characters are left out:
Python's `$` matches before a final newline, which no client sends.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from routegen.discover import ServedPath, ServedRoutes
from routegen.gateway import encode_path
from routegen.gateway.match_order import path_parts
from routegen.gateway.path_pattern import pattern_parts
from routegen.gateway.regex_tree import Regex
from routegen.gateway.selection_model import EVERY_METHOD
from routegen.manifest import Manifest
from routegen.prove.app_proof import PathsProof
from routegen.roles import list_discovery_paths

_FEW_METHODS = ("GET", "POST")
# Most convertors match some of these words; the first and the last one that match are tried, and one that does not.
_WORDS = (
    "", "x", "7", "a/b", "1.5", "6fa459ea-ee8a-3ca4-894e-db77e160355e", "2024-02-29", "a-b", "A", "en", "x.y", "abc123",
    "0" * 24, "v1", "true", "12:30", "2024-02-29T12:30:00", "a_b", "ab12", "-1", "1-2", "é", "x y", "%", "a@b.example",
)  # fmt: skip

MethodAndPath = tuple[str, str]
"""A request: its method, and its path percent-encoded as in a request line."""


def requests_to_send(manifest: Manifest, routes: ServedRoutes, paths: PathsProof) -> list[MethodAndPath]:
    """Return the requests that confirm a proof, and those that sample the parts without a proof, each once."""
    undecided = [routes.paths[position] for position in sorted(paths.undecided_positions)]
    patterns = [(pattern_parts(served.path, served.regexes), served.methods or ()) for served in undecided]
    patterns += [(path_parts(route.path), ()) for route in manifest.routes if undecided]
    samples = (request for pattern, methods in patterns for request in _samples(pattern, methods))
    return list(dict.fromkeys([*paths.requests, *_discovery_requests(routes.paths), *samples]))


def _discovery_requests(served_paths: Iterable[ServedPath]) -> Iterator[MethodAndPath]:
    """Yield requests for the paths at which clients look for documents: middleware can answer there."""
    for method in (*_FEW_METHODS, "HEAD", "OPTIONS"):
        for path in ("/", *list_discovery_paths(served.path for served in served_paths)):
            yield method, encode_path(path)


def _samples(pattern: Iterable[str], methods: Sequence[str]) -> Iterator[MethodAndPath]:
    """Yield requests for two paths that a pattern matches, for one that it does not match, and for their neighbours."""
    texts = [_example_texts(part) if isinstance(part, Regex) else (part,) * 3 for part in pattern]
    for path in (encode_path("".join(example)) for example in zip(*texts, strict=True)):
        yield from ((method, path) for method in EVERY_METHOD)
        parent, _, last = path.rpartition("/")
        ends = (f"{path}/", f"{path}//", f"{path}/x", f"{path}x", f"{path}/..", f"/{path}", path.replace("a", "%61"))
        neighbours = (*ends, f"{parent}//{last}", f"{parent}/./{last}", f"{parent}/", parent or "/")
        yield from ((method, other_path) for other_path in neighbours for method in (*_FEW_METHODS, *methods[:1]))


@cache
def _example_texts(regex: Regex) -> tuple[str, str, str]:
    matching = [word for word in _WORDS if re.fullmatch(regex, word)] or ["x"]
    other_words = [word for word in _WORDS if not re.fullmatch(regex, word)] or ["x"]
    return matching[0], matching[-1], other_words[0]
