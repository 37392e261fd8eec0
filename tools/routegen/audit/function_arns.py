"""The ARNs of functions, as integrations and users write them."""

import re
from collections.abc import Mapping

# Both forms of "Integrations for HTTP APIs" (AWS): the function's ARN, and the URI that REST APIs have.
_INVOCATIONS = re.compile(r"arn:[^:]+:apigateway:[^:]*:lambda:path/2015-03-31/functions/(.+)/invocations")
_FUNCTION = re.compile(r"arn:[^:]+:lambda:[^:]+:\d{12}:function:([A-Za-z0-9_-]+)(?::([A-Za-z0-9_$-]+))?")
_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")


def function_arn(uri: str, variables: Mapping[str, str]) -> str | None:
    """The ARN of the function that an integration invokes, with its qualifier.

    Args:
        uri: the integration's.
        variables: the stage's, which may be part of it.

    Returns:
        None where it is no function's.
    """
    known = _VARIABLE.sub(lambda found: variables.get(found[1], found[0]), uri)
    whole = _INVOCATIONS.fullmatch(known)
    arn = whole[1] if whole else known
    return arn if _FUNCTION.fullmatch(arn) else None


def short_name(arn: str) -> str:
    """The function's name and qualifier: `wikibot-mcp`, `wikibot-mcp:live`."""
    return ":".join(part for part in qualified(arn) if part)


def qualified(arn: str) -> tuple[str, str]:
    """The function's name, and its qualifier or an empty string."""
    found = _FUNCTION.fullmatch(arn)
    return (found[1], found[2] or "") if found else (arn, "")


def is_meant(wanted: str, arn: str) -> bool:
    """Whether a user's name, `name:qualifier` or ARN means a function."""
    return wanted in {arn, short_name(arn)}
