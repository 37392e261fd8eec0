"""A web page that shows what the local gateway does: its routes, and each request as it is answered.

In: exchanges, from the gateway's loop. Out: HTTP on a port of its own, on loopback. A request costs an entry in a ring;
what it held is only prepared, and masked, when somebody looks at it.
"""

from routegen.serve.inspector.inspector_app import Inspector

__all__ = ["Inspector"]
