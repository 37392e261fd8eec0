"""What JavaScript clients make of a JSON body: `JSON.parse` as in V8, and the message that its SyntaxError has there.

The messages are V8's (`messages.h`, `json-parser.cc`); those that name a position differ between the releases of
Node.js, so `JsonError.message` is None where this can't tell the text to the letter.
"""

import json
from dataclasses import dataclass
from typing import Any

from routegen.verify.answers import Answer
from routegen.verify.clients.sign_in_flow import known, unknown

_AROUND = 10
_LITERALS = ("true", "false", "null")


@dataclass(frozen=True)
class JsonError:
    """A SyntaxError.

    Attributes:
        message: its text; None where it depends on what isn't known here.
    """

    message: str | None


def read(answer: Answer) -> Any:
    """What `await response.json()` gives, or a `JsonError`; a body that is not read to its end raises."""
    try:
        # Like a text decoder: without the byte order mark, and never an error (WHATWG Encoding, "UTF-8 decode").
        text = known(answer).body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        return JsonError(_message(text, error))
    except _ConstantError:
        return JsonError(None)
    except ValueError:  # more digits than Python reads
        raise unknown(f"{answer.url} has a number that is too long to be read here.", answer.url) from None
    except RecursionError:
        raise unknown(f"{answer.url} is nested too deeply to be read here.", answer.url) from None


class _ConstantError(Exception):
    """NaN or Infinity, which only Python reads."""


def _no_constant(_name: str) -> Any:
    raise _ConstantError


def _message(text: str, error: json.JSONDecodeError) -> str | None:
    at = error.pos
    if error.msg == "Expecting value":
        word = next((one for one in _LITERALS if text[at : at + 1] == one[0]), "")
        while word and at < len(text) and text[at] == word[0]:
            at, word = at + 1, word[1:]
        return _unexpected(text, at)
    return None


def _unexpected(text: str, at: int) -> str:
    if at >= len(text):
        return "Unexpected end of JSON input"
    before = after = ""
    shown = text
    if len(text) > 2 * _AROUND:
        start = max(0, at - _AROUND)
        end = at + _AROUND
        before = "..." if at >= _AROUND else ""
        after = "..." if end < len(text) else ""
        shown = text[start if before else 0 : end if after else len(text)]
    return f"Unexpected token '{text[at]}', {before}\"{shown}\"{after} is not valid JSON"


def quoted(text: str) -> str:
    """What `JSON.stringify` makes of a string."""
    return json.dumps(text, ensure_ascii=False)
