"""The log of a running gateway: one line for each request, and the output of the functions."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from routegen.errors import OutputError
from routegen.serve.exchange import Exchange

WriteLine = Callable[[str], object]
Paint = Callable[[str, str], str]
"""Takes a text and the name of a colour; returns the text in that colour, or unchanged."""


class GatewayLog:
    """Writes lines for people, or JSON objects for programs.

    The query of a request is never written, and its path is masked, because they can have codes and tokens.

    Attributes:
        broken: whether nobody reads the lines any more; then nothing is written.
        on_broken: called when writing fails for the first time.
    """

    def __init__(self, write_line: WriteLine, *, as_json: bool = False, paint: Paint | None = None) -> None:
        """Pass each line to `write_line`, including its line feed."""
        self._write_line = write_line
        self.broken = False
        self.on_broken: Callable[[], None] | None = None
        self._as_json = as_json
        self._paint = paint or (lambda text, _colour: text)

    def write_exchange(self, exchange: Exchange, path: str) -> None:
        """Write an answered request, with its masked path."""
        status = exchange.response.status
        if self._as_json:
            names = ("id", "route_key", "app", "reserved", "cold", "problem")
            fields = {name: getattr(exchange, name) for name in names}
            fields |= {"method": exchange.request.method, "path": path, "status": status}
            self._write("request", "", exchange.time, **fields, milliseconds=round(exchange.milliseconds, 3))
            return
        colour = "red" if status >= 500 else "yellow" if status >= 400 else "green"
        parts = [
            f"{exchange.request.method:<6} {path}",
            exchange.route_key or "-",
            exchange.app or "-",
            self._paint(str(status), colour),
            f"{exchange.milliseconds:.1f} ms",
            "reserved" if exchange.reserved else "",
            "cold" if exchange.cold else "",
            exchange.problem or "",
        ]
        self.write_event("request", "  ".join(filter(None, parts)))

    def write_output(self, function: str, line: str) -> None:
        """Write a line that a function printed."""
        self._write("output", f"{self._paint(f'{function} |', 'cyan')} {line}", app=function, line=line)

    def write_note(self, function: str, text: str) -> None:
        """Write a note about a function."""
        self.write_event("note", f"{function}: {self._paint(text, 'yellow')}", app=function, text=text)

    def write_event(self, kind: str, line: str, **fields: Any) -> None:
        """Write an event of the gateway: `line` for people; `kind`, and `fields` or `line`, for programs."""
        self._write(kind, f"{time.strftime('%H:%M:%S')}  {line}", **(fields or {"text": line}))

    def _write(self, kind: str, line: str, seconds: float | None = None, /, **fields: Any) -> None:
        if self.broken:
            return
        if self._as_json:
            timestamp = datetime.fromtimestamp(seconds or time.time(), UTC).isoformat(timespec="milliseconds")
            line = json.dumps({"kind": kind, "time": timestamp, **fields}, ensure_ascii=False)
        try:
            self._write_line(f"{line}\n")
        except (OSError, OutputError):
            self.broken = True
            if self.on_broken:
                self.on_broken()
