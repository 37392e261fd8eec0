"""What a person, or a machine, sees of a running gateway: one line a request, and what the functions print."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from routegen.errors import OutputError
from routegen.serve.exchange import Exchange

Write = Callable[[str], None]
Paint = Callable[[str, str], str]
"""Gets a text and a colour's name, gives the text in that colour or as it is."""


def _plain(text: str, _colour: str) -> str:
    return text


class Log:
    """Lines for people, or JSON objects for machines.

    The query of a request is in neither: it may hold codes and tokens.
    """

    def __init__(self, write: Write, *, as_json: bool = False, paint: Paint | None = None) -> None:
        """Write whole lines through `write`, until nobody reads them any more: then `broken` is set."""
        self._to = write
        self.broken = False
        self.when_broken: Callable[[], None] | None = None
        self._as_json = as_json
        self._paint = paint or _plain

    def exchange(self, exchange: Exchange) -> None:
        """A request has been answered."""
        if self._as_json:
            self._object("request", exchange.time, **_fields(exchange))
            return
        status = exchange.response.status
        colour = "red" if status >= 500 else "yellow" if status >= 400 else "green"
        parts: list[str] = [
            f"{exchange.request.method:<6} {exchange.request.path}",
            exchange.route_key or "-",
            exchange.app or "-",
            self._paint(str(status), colour),
            f"{exchange.milliseconds:.1f} ms",
        ]
        parts += ["cold"] if exchange.cold else []
        parts += [exchange.problem] if exchange.problem else []
        self._line("  ".join(parts))

    def output(self, function: str, line: str) -> None:
        """A function has printed a line."""
        if self._as_json:
            self._object("output", time.time(), app=function, line=line)
        else:
            self._write(f"{self._paint(f'{function} |', 'cyan')} {line}\n")

    def note(self, function: str, text: str) -> None:
        """There is something to say about a function."""
        if self._as_json:
            self._object("note", time.time(), app=function, text=text)
        else:
            self._line(f"{function}: {self._paint(text, 'yellow')}")

    def about(self, kind: str, text: str, **fields: Any) -> None:
        """There is something to say about the gateway; `fields` are what a machine wants of it."""
        if self._as_json:
            self._object(kind, time.time(), **(fields or {"text": text}))
        else:
            self._line(text)

    def _write(self, line: str) -> None:
        if self.broken:
            return
        try:
            self._to(line)
        except (OSError, OutputError):
            self.broken = True
            if self.when_broken:
                self.when_broken()

    def _line(self, text: str) -> None:
        self._write(f"{time.strftime('%H:%M:%S')}  {text}\n")

    def _object(self, kind: str, at: float, **fields: Any) -> None:
        moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        self._write(json.dumps({"kind": kind, "time": moment, **fields}, ensure_ascii=False) + "\n")


def _fields(exchange: Exchange) -> dict[str, Any]:
    return {
        "id": exchange.id,
        "method": exchange.request.method,
        "path": exchange.request.path,
        "route_key": exchange.route_key,
        "app": exchange.app,
        "status": exchange.response.status,
        "milliseconds": round(exchange.milliseconds, 3),
        "cold": exchange.cold,
        "problem": exchange.problem,
    }
