"""Text that is safe in a terminal, in XML and in a line of a log."""

from typing import Any


def printable(text: str) -> str:
    """The same text with each character that does not print (ESC, bidirectional marks) as its escape."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def all_printable(value: Any) -> Any:
    """The same JSON value with each of its strings made printable."""
    match value:
        case str():
            return printable(value)
        case dict():
            return {printable(key): all_printable(item) for key, item in value.items()}
        case list() | tuple():
            return [all_printable(item) for item in value]
    return value
