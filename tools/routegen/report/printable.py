"""Text that can go anywhere: to a terminal, into XML, into a line of a log."""

from typing import Any


def printable(text: str) -> str:
    """The same text with every character that doesn't print as its escape, such as the one of ESC or of a bidi mark."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def all_printable(value: Any) -> Any:
    """The same JSON value with every string in it printable."""
    match value:
        case str():
            return printable(value)
        case dict():
            return {printable(key): all_printable(one) for key, one in value.items()}
        case list() | tuple():
            return [all_printable(one) for one in value]
    return value
