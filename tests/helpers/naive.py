"""API Gateway's route selection said once more, slowly: a regular expression a key, the documented ranks as a sort."""

import re
from urllib.parse import unquote

from routegen.gateway import ANY, RouteKey, shape


def naive(keys: list[RouteKey], method: str, path: str) -> RouteKey | None:
    """The key that takes a request; the path is decoded."""

    def segment(text: str) -> str:
        if text.startswith("{"):
            return ".+" if text.endswith("+}") else "[^/]+"
        literal = unquote(text)
        return re.escape(literal) if "/" not in literal else "(?!)"

    def pattern(key: RouteKey) -> str:
        return "/" + "/".join(map(segment, key.path[1:].split("/")))

    def rank(key: RouteKey) -> tuple[object, ...]:
        order = {"{}": 1, "{+}": 2}
        return ("{+}" in shape(key.path), [order.get(part, 0) for part in shape(key.path)], key.method == ANY)

    fitting = [key for key in keys if key.method in {method, ANY} and re.fullmatch(pattern(key), path)]
    return min(fitting, key=rank, default=None)
