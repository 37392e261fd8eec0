"""Files of environment variables, as `docker run --env-file` and python-dotenv read them."""

import os
import re
from pathlib import Path

from routegen.errors import ConfigError

_LINE = re.compile(
    r"""\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)\s*
    (?:=\s*(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<plain>.*?))\s*(?:(?<=\s)\#.*)?)?""",
    re.VERBOSE,
)


def read_env_file(file: Path) -> dict[str, str]:
    """Read lines of the form NAME=VALUE; a NAME without a value takes the caller's value, if there is one.

    Empty lines and comments are skipped. A value can be quoted, and `export` before the name is allowed.

    Raises:
        ConfigError: the file cannot be read, or a line has another form; the text names the line.
    """
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise ConfigError(f"--env-file: {file}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"--env-file: {file}: not UTF-8") from None
    variables = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ConfigError(f"--env-file: {file}, line {number}: write NAME=VALUE")
        name, double, single, plain = match["name"], match["double"], match["single"], match["plain"]
        if double is not None:
            variables[name] = re.sub(r"\\(.)", lambda escape: {"n": "\n", "t": "\t"}.get(escape[1], escape[1]), double)
        elif single is not None or plain is not None:
            variables[name] = single if single is not None else plain
        elif name in os.environ:
            variables[name] = os.environ[name]
    return variables
