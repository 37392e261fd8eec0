"""The expressions for paths as they are sent, held to the routing model without a server."""

import random
import re
from collections.abc import Callable

from differential.manifests import manifest
from differential.requests import origin_form, requests
from routegen.gateway import ANY, RouteKey, RouteTable, encoded_path_regex, sort_route_keys

MANIFESTS = 30
REQUESTS = 400


def test_the_first_that_matches_is_the_selected_key(seed: str, decided: Callable[[int], None]) -> None:
    for number in range(MANIFESTS):
        one = random.Random(f"{seed} encoded {number}")
        routes = manifest(one)
        keys = [RouteKey.parse(text) for route in routes.routes for text in route.route_keys]
        table = RouteTable(keys)
        regexes = [
            (key, re.compile(rf"{encoded_path_regex(key.path)}(?:\?|\Z)".encode("ascii")))
            for key in sort_route_keys(keys)
        ]
        for request in requests(one, routes, REQUESTS):
            able = (key for key, regex in regexes if regex.match(origin_form(request)))
            first = next((key for key in able if key.method in {request.method, ANY}), None)
            assert first == table.select(request.method, request.asked), (routes, request)
        decided(REQUESTS)
