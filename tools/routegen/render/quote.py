"""How several languages write a value; each function takes text, numbers, booleans and lists of them."""

import json
from typing import Any

_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029\u007f"}

# Made once: `json.dumps` with an option makes an encoder for each text.
_json = json.JSONEncoder(ensure_ascii=False).encode


def as_json(value: Any) -> str:
    """JSON, which YAML and JavaScript read too.

    Line separators and angle brackets are escaped: JavaScript before 2019 ends a string at U+2028, an HTML page ends
    a script at `</`.
    """
    return _json(value).translate(_ESCAPED)


def as_hcl(value: Any) -> str:
    """HCL's native syntax: JSON's escapes, and no template starts (HCL, "Quoted Template Expressions")."""
    return _json(value).replace("${", "$${").replace("%{", "%%{")
