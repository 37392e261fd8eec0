"""The log of a running gateway: one line for each request, and the output of the functions."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from routegen.errors import OutputError
from routegen.serve.exchange import Exchange

WriteLine = Callable[[str], None]
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
        if self._as_json:
            fields = {
                name: getattr(exchange, name) for name in ("id", "route_key", "app", "reserved", "cold", "problem")
            }
            request = {"method": exchange.request.method, "path": path}
            result = {"status": exchange.response.status, "milliseconds": round(exchange.milliseconds, 3)}
            self._write_object("request", exchange.time, **request, **fields, **result)
            return
        status = exchange.response.status
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
        self._write_text("  ".join(filter(None, parts)))

    def write_output(self, function: str, line: str) -> None:
        """Write a line that a function printed."""
        if self._as_json:
            self._write_object("output", time.time(), app=function, line=line)
        else:
            self._write(f"{self._paint(f'{function} |', 'cyan')} {line}\n")

    def write_note(self, function: str, text: str) -> None:
        """Write a note about a function."""
        if self._as_json:
            self._write_object("note", time.time(), app=function, text=text)
        else:
            self._write_text(f"{function}: {self._paint(text, 'yellow')}")

    def write_event(self, kind: str, text: str, **fields: Any) -> None:
        """Write an event of the gateway: `text` for people; `kind`, and `fields` or `text`, for programs."""
        if self._as_json:
            self._write_object(kind, time.time(), **(fields or {"text": text}))
        else:
            self._write_text(text)

    def _write(self, line: str) -> None:
        if self.broken:
            return
        try:
            self._write_line(line)
        except (OSError, OutputError):
            self.broken = True
            if self.on_broken:
                self.on_broken()

    def _write_text(self, text: str) -> None:
        self._write(f"{time.strftime('%H:%M:%S')}  {text}\n")

    def _write_object(self, kind: str, seconds: float, **fields: Any) -> None:
        timestamp = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
        self._write(json.dumps({"kind": kind, "time": timestamp, **fields}, ensure_ascii=False) + "\n")
