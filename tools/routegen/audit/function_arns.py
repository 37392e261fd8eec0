"""ARNs of Lambda functions, in the forms that integrations and users write."""

import re
from collections.abc import Mapping

# "Integrations for HTTP APIs" (AWS) has both forms: the function's ARN, and the URI form of REST APIs.
_INVOCATIONS = re.compile(r"arn:[^:]+:apigateway:[^:]*:lambda:path/2015-03-31/functions/(.+)/invocations")
_FUNCTION = re.compile(r"arn:[^:]+:lambda:[^:]+:\d{12}:function:([A-Za-z0-9_-]+)(?::([A-Za-z0-9_$-]+))?")
_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")


def parse_function_arn(uri: str, stage_variables: Mapping[str, str]) -> str | None:
    """Return the ARN, with its qualifier, of the function that an integration invokes.

    Args:
        uri: the integration's URI, which can contain stage variables.
        stage_variables: the values of the stage's variables.

    Returns:
        None if the URI is not the URI of a function.
    """
    expanded = _VARIABLE.sub(lambda match: stage_variables.get(match[1], match[0]), uri)
    invocations = _INVOCATIONS.fullmatch(expanded)
    arn = invocations[1] if invocations else expanded
    return arn if _FUNCTION.fullmatch(arn) else None


def short_function_name(arn: str) -> str:
    """Return the function's name and its qualifier: `wikibot-mcp`, `wikibot-mcp:live`."""
    return ":".join(part for part in split_function_arn(arn) if part)


def split_function_arn(arn: str) -> tuple[str, str]:
    """Return the function's name, and its qualifier or an empty string."""
    match = _FUNCTION.fullmatch(arn)
    return (match[1], match[2] or "") if match else (arn, "")


def names_function(name: str, arn: str) -> bool:
    """Whether a name, `name:qualifier` or ARN that a user wrote means the function of an ARN."""
    return name in {arn, short_function_name(arn)}
