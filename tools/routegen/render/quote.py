"""Literals of several languages for text, numbers, booleans and lists of them."""

import json
from typing import Any

_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029\u007f"}

# One encoder for all texts: `json.dumps` with an option makes a new encoder for each call.
_encode_json = json.JSONEncoder(ensure_ascii=False).encode


def quote_as_json(value: Any) -> str:
    """Write a JSON literal, which is valid in YAML and JavaScript too.

    Line separators and angle brackets are escaped: JavaScript before 2019 ends a string at U+2028, and an HTML page
    ends a script at `</`.
    """
    return _encode_json(value).translate(_ESCAPES)


def quote_as_hcl(value: Any) -> str:
    """Write an HCL literal: JSON's escapes, without the start of a template (HCL, "Quoted Template Expressions")."""
    return _encode_json(value).replace("${", "$${").replace("%{", "%%{")
