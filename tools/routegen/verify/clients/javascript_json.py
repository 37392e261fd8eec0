"""`JSON.parse` as in V8, which JavaScript clients use: its value, or the message of its SyntaxError.

The messages are from V8's sources (`messages.h`, `json-parser.cc`). The messages that name a position differ between
releases of Node.js; for these, `JsonSyntaxError.message` is None.
"""

import json
from dataclasses import dataclass
from typing import Any

from routegen.verify.answers import Answer
from routegen.verify.clients.sign_in_flow import UnknownOutcomeError, complete_answer

# V8 quotes so many characters of the text on each side of the error (`JsonParser::LookUpErrorMessageForJsonToken`).
_QUOTED_CHARACTERS = 10
_LITERALS = ("true", "false", "null")


@dataclass(frozen=True)
class JsonSyntaxError:
    """The SyntaxError that `JSON.parse` throws; the message is None if its exact words are not known."""

    message: str | None


def parse_json(answer: Answer) -> Any:
    """The value of `await response.json()`, or a `JsonSyntaxError`.

    Raises:
        UnknownOutcomeError: the body is incomplete, or Python cannot parse a text that JavaScript can parse.
    """
    try:
        # A browser's decoder removes the byte order mark and never fails (WHATWG Encoding, "UTF-8 decode").
        text = complete_answer(answer).body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
        return json.loads(text, parse_constant=_reject_constant)
    except json.JSONDecodeError as error:
        return JsonSyntaxError(_v8_message(text, error))
    except ValueError:  # Python limits the digits of an integer.
        raise UnknownOutcomeError(f"{answer.url} has a number that is too long for routegen.", answer.url) from None
    except RecursionError:
        raise UnknownOutcomeError(f"{answer.url} is nested too deeply for routegen.", answer.url) from None


def quote_string(text: str) -> str:
    """Quote a string as `JSON.stringify` does."""
    return json.dumps(text, ensure_ascii=False)


def _reject_constant(name: str) -> Any:
    """Refuse NaN and Infinity, which Python's parser accepts and JavaScript's does not."""
    raise json.JSONDecodeError("Constant", name, 0)


def _v8_message(text: str, error: json.JSONDecodeError) -> str | None:
    """V8's message for an error of Python's parser, if it does not depend on the release of Node.js."""
    if error.msg != "Expecting value":
        return None
    position = error.pos
    literal = next((literal for literal in _LITERALS if text[position : position + 1] == literal[0]), "")
    # Python reports the start of a broken literal, V8 its first wrong character.
    while literal and position < len(text) and text[position] == literal[0]:
        position, literal = position + 1, literal[1:]
    if position >= len(text):
        return "Unexpected end of JSON input"
    start, end = max(0, position - _QUOTED_CHARACTERS), position + _QUOTED_CHARACTERS
    prefix, suffix = "..." if position >= _QUOTED_CHARACTERS else "", "..." if end < len(text) else ""
    if len(text) <= 2 * _QUOTED_CHARACTERS:
        start, end, prefix, suffix = 0, len(text), "", ""
    return f"Unexpected token '{text[position]}', {prefix}\"{text[start:end]}\"{suffix} is not valid JSON"
