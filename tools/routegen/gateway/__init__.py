"""API Gateway's routes as a pure model: route keys, route selection, and the translation of an app's paths.

Nothing here imports a web framework or reaches the network. Costs are linear in the length of a path.
"""

from routegen.gateway.match_order import encoded_path_regex, path_regex, sort_route_keys
from routegen.gateway.route_key import (
    ANY,
    DEFAULT_ROUTE,
    METHODS,
    ROUTE_QUOTA,
    RouteKey,
    RouteKeyError,
    shape,
    stable_name,
    takes_every_path,
)
from routegen.gateway.selection import RouteTable
from routegen.gateway.translation import Translation, encode_path, subtree_path, translate_path

__all__ = [
    "ANY",
    "DEFAULT_ROUTE",
    "METHODS",
    "ROUTE_QUOTA",
    "RouteKey",
    "RouteKeyError",
    "RouteTable",
    "Translation",
    "encode_path",
    "encoded_path_regex",
    "path_regex",
    "shape",
    "sort_route_keys",
    "stable_name",
    "subtree_path",
    "takes_every_path",
    "translate_path",
]
