"""A Lambda handler that keeps one application and one ASGI lifespan for all invocations of an instance.

FastMCP's session manager can run only once, and Mangum's `lifespan="auto"` starts the lifespan for each invocation:
FastMCP before 3.2.1 fails on the second invocation. This handler starts the lifespan once, on the event loop that
Mangum then uses for each request, and ends it when the process exits. (Lambda stops the process without an exit.)
"""

import asyncio
import atexit
from typing import Any

from mangum import Mangum
from mangum.protocols import LifespanCycle
from mangum.types import ASGI


class WarmHandler:
    """A Lambda handler for an ASGI application."""

    def __init__(self, app: ASGI) -> None:
        """Store the application. It does not run before the first invocation."""
        self._app = app
        self._mangum: Mangum | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Handle one event in payload format 2.0, and return the response in the same format.

        Raises:
            LifespanFailure: the application did not start. The next invocation tries again.
        """
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        # Mangum uses the current loop, and a call of asyncio.run between two invocations removes it.
        asyncio.set_event_loop(self._loop)
        if self._mangum is None:
            lifespan = LifespanCycle(self._app, "on")
            lifespan.__enter__()
            # This reference also keeps the lifespan's task: a loop has only weak references to its tasks.
            atexit.register(lifespan.__exit__, None, None, None)
            self._mangum = Mangum(self._app, lifespan="off")
        return self._mangum(event, context)
