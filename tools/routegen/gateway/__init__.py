"""API Gateway's routes as a pure model: what a route key is, and how an app's path becomes one.

Data in, data out; nothing here imports a web framework or touches the network. Costs are linear in the
length of a path.
"""

from routegen.gateway.assumptions import DEFAULT, Decisions
from routegen.gateway.match_order import encoded_path_regex, in_order, path_regex
from routegen.gateway.route_key import ANY, METHODS, ROUTE_QUOTA, RouteKey, RouteKeyError, shape, takes_every_path
from routegen.gateway.selection import RouteTable
from routegen.gateway.translation import Translation, below, translate

__all__ = [
    "ANY",
    "DEFAULT",
    "METHODS",
    "ROUTE_QUOTA",
    "Decisions",
    "RouteKey",
    "RouteKeyError",
    "RouteTable",
    "Translation",
    "below",
    "encoded_path_regex",
    "in_order",
    "path_regex",
    "shape",
    "takes_every_path",
    "translate",
]
