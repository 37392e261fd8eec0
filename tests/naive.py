"""API Gateway's route selection said once more, slowly: a regular expression a key, the documented ranks as a sort."""

import re

from routegen.gateway import ANY, RouteKey, shape


def naive(keys: list[RouteKey], method: str, path: str) -> RouteKey | None:
    """The key that takes a request; the path is decoded."""

    def pattern(key: RouteKey) -> str:
        parts = {"{}": "[^/]+", "{+}": ".+"}
        if key.path == "/":
            return "/"
        return "".join("/" + parts.get(part, re.escape(part)) for part in shape(key.path))

    def rank(key: RouteKey) -> tuple[object, ...]:
        order = {"{}": 1, "{+}": 2}
        return ("{+}" in shape(key.path), [order.get(part, 0) for part in shape(key.path)], key.method == ANY)

    fitting = [key for key in keys if key.method in {method, ANY} and re.fullmatch(pattern(key), path)]
    return min(fitting, key=rank, default=None)
