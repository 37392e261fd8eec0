"""From an app object to what it serves: paths, methods, and what answers there.

In: a Starlette or FastMCP application. Out: `Served` entries in the app's own path notation, in the order of its route
table. Walks the live objects, calls no endpoint, and costs time linear in the number of routes. Kinds of
routes are an ordered registry (`adapters.py`); an unknown kind is an error that says what it met and where.
"""

from routegen.discover.adapters import ADAPTERS
from routegen.discover.served import Served, UnknownKindError
from routegen.discover.walk import discover

__all__ = ["ADAPTERS", "Served", "UnknownKindError", "discover"]
