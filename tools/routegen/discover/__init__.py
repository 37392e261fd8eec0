"""From an app object to what it serves: paths, methods, and what answers there.

In: a Starlette, FastAPI, FastMCP or Flask application. Out: `Served` entries in Starlette's path notation, in the
order of the app's route table. Walks the live objects, calls no endpoint, and costs time linear in the number of
routes. Kinds of routes are an ordered registry (`adapters.py`); an unknown kind is an error that says what it met
and where.
"""

from routegen.discover.adapters import ADAPTERS, Found
from routegen.discover.served_path import Served, UnknownKindError
from routegen.discover.unwrap import as_asgi
from routegen.discover.walk import discover, find

__all__ = ["ADAPTERS", "Found", "Served", "UnknownKindError", "as_asgi", "discover", "find"]
