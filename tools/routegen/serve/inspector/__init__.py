"""A web page that shows the local gateway's routes and each request as it is answered.

The page has its own port on loopback. For each request the inspector stores the exchange; it masks secrets and prepares
the details only when somebody looks at that request.
"""

from routegen.serve.inspector.inspector_app import Inspector

__all__ = ["Inspector"]
