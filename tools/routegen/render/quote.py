"""How several languages write a value; each function takes text, numbers, booleans and lists of them."""

import json
from typing import Any


def as_json(value: Any) -> str:
    """JSON, which YAML and JavaScript read too.

    Line separators and angle brackets are escaped: JavaScript before 2019 ends a string at U+2028, an HTML page ends
    a script at `</`.
    """
    text = json.dumps(value, ensure_ascii=False)
    for char in "<>&\u2028\u2029\u007f":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def as_hcl(value: Any) -> str:
    """HCL's native syntax: JSON's escapes, and no template starts (HCL, "Quoted Template Expressions")."""
    return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
