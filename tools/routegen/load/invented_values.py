"""Invented values for environment variables: an extraction needs only their form."""

import re

_FORMS = (
    (r"AUTHKIT|WORKOS_DOMAIN", "https://example.authkit.app"),
    (r"CLIENT_?ID", "client_0123456789"),
    (r"REDIS", "redis://localhost:6379/0"),
    (r"MONGO", "mongodb://localhost:27017/example"),
    (r"AMQP|RABBIT|BROKER", "amqp://localhost"),
    (r"DATABASE_UR[LI]|DB_UR[LI]|SQLALCHEMY|POSTGRES\w*UR[LI]|_DSN$", "sqlite://"),
    (r"SECRET|PASSWORD|TOKEN|_KEY|^KEY|^SALT", "invented-0123456789-0123456789-0123456789"),
    (r"(^|_)EMAIL", "someone@example.com"),
    (r"REGION", "us-east-1"),
    (r"UR[LI](_|$)|BASE|DOMAIN|ISSUER|ENDPOINT|ORIGIN|SERVER$|AUTHORITY", "https://example.com"),
    (r"(^|_)HOST(NAME)?(_|$)", "example.com"),
    (r"(^|_)PORT(_|$)", "8000"),
    (r"TIMEOUT|TTL|SECONDS|MINUTES|(^|_)(SIZE|LIMIT|COUNT|MAX|MIN|NUM|WORKERS|RETRIES|EXPIRY|AGE)(_|$)", "1"),
    (r"(^|_)(DEBUG|ENABLED?|DISABLED?|IS|USE|ALLOW|VERBOSE|FLAG)(_|$)", "false"),
    (r"(^|_)(DIR|DIRECTORY|FOLDER)(_|$)", "/tmp"),  # noqa: S108 - a folder that exists everywhere
    (r"PREFIX$|(^|_)PATH$", "/example"),
    (r"LOG_?LEVEL|LOGLEVEL", "INFO"),
)
_OTHER_FORMS = ("example", "https://example.com", "1", "true", "{}", "[]", "example.com", "2030-01-01", "sqlite://")


def invented_values(name: str) -> tuple[str, ...]:
    """Return values of several forms for a variable, the likeliest form first."""
    likely = next((value for pattern, value in _FORMS if re.search(pattern, name.upper())), None)
    other_values = tuple(value for value in _OTHER_FORMS if value != likely)
    return other_values if likely is None else (likely, *other_values)
