"""The regular expressions for paths as clients send them, compared with the routing model without a server."""

import random
import re
from collections.abc import Callable

from differential.manifests import random_manifest
from differential.requests import origin_form, random_requests
from routegen.gateway import ANY, RouteKey, RouteTable, encoded_path_regex, sort_route_keys

MANIFESTS = 30
REQUESTS = 400


def test_the_first_expression_that_matches_is_of_the_selected_key(
    seed: str, count_decisions: Callable[[int], None]
) -> None:
    for number in range(MANIFESTS):
        generator = random.Random(f"{seed} encoded {number}")
        routes = random_manifest(generator)
        keys = [RouteKey.parse(text) for route in routes.routes for text in route.route_keys]
        table = RouteTable(keys)
        regexes = [
            (key, re.compile(rf"{encoded_path_regex(key.path)}(?:\?|\Z)".encode("ascii")))
            for key in sort_route_keys(keys)
        ]
        for request in random_requests(generator, routes, REQUESTS):
            matching_keys = (key for key, regex in regexes if regex.match(origin_form(request)))
            first = next((key for key in matching_keys if key.method in {request.method, ANY}), None)
            assert first == table.select(request.method, request.model_path), (routes, request)
        count_decisions(REQUESTS)
