"""Discovery of the paths that an app object serves: their methods, and the code that answers them.

`discover_paths` walks the route table of a Starlette, FastAPI, FastMCP or Flask application and returns `ServedPath`
entries in the table's order. It calls no endpoint, and costs time linear in the number of routes. `adapters` has one
adapter for each kind of route; a route of any other kind is an error that names it. `discover_routes` also
returns the order in which the routers try their routes, from which `routing_model` tells how the app answers a request.
"""

from routegen.discover.adapters import DiscoveredRoute
from routegen.discover.route_tree import RouteTree, ServedRoutes
from routegen.discover.served_path import ServedPath, UnknownRouteKindError
from routegen.discover.unwrap import resolve_asgi_app
from routegen.discover.walk import discover_paths, discover_routes

__all__ = [
    "DiscoveredRoute",
    "RouteTree",
    "ServedPath",
    "ServedRoutes",
    "UnknownRouteKindError",
    "discover_paths",
    "discover_routes",
    "resolve_asgi_app",
]
