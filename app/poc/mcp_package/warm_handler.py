"""One application and one lifespan for the life of the Lambda.

FastMCP's session manager can be run once, and Mangum's `lifespan="auto"` enters the lifespan on every
invocation: FastMCP before 3.2.1 fails on the second one. So the lifespan is entered once, on the loop that
Mangum then uses for every request, and left where the process ends by itself (Lambda just stops it).
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
        """Keep the application; nothing of it runs before the first invocation."""
        self._app = app
        self._mangum: Mangum | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one event in payload format 2.0.

        Raises:
            LifespanFailure: the application did not start; the next invocation tries again.
        """
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        # Mangum asks for the current loop each time, and whoever calls asyncio.run in between takes it away.
        asyncio.set_event_loop(self._loop)
        if self._mangum is None:
            lifespan = LifespanCycle(self._app, "on")
            lifespan.__enter__()
            # This also keeps the lifespan: a loop holds its tasks weakly, and gc would end it.
            atexit.register(lifespan.__exit__, None, None, None)
            self._mangum = Mangum(self._app, lifespan="off")
        return self._mangum(event, context)
