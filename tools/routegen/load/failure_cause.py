"""Find out why the import of an app has failed: the environment variable, module, server or address behind an error."""

import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.machinery import PathFinder
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from routegen.errors import shorten
from routegen.load.import_record import ImportRecord, MissingVariable, SourcePlace, shown_place
from routegen.load.settings_variables import pydantic_errors, settings_variables

_VARIABLE_OF_ERROR = {"NoRegionError": "AWS_DEFAULT_REGION"}
"""Errors of libraries that do not name the variable; AWS Lambda sets it (Lambda guide, "Defined runtime variables")."""


CauseKind = Literal["variable", "server", "loop", "network", "timeout", "module", "relative", "shadowing"]


@dataclass(frozen=True)
class FailureCause:
    """The reason of a failed import, as data for JSON.

    Attributes:
        kind: `variable`: a variable is not set or has a wrong value. `server`: the import runs a server. `loop`: it
            runs an event loop until the time-out. `network`: it needs another machine. `timeout`: it takes too long.
            `module`: a module is not found. `relative`: a relative import in a file without a package. `shadowing`: a
            file of the project has the name of an installed package.
        names: the variables; or the module's, the file's or the machine's name.
        place: the user's line, for a server, a connection and a time-out.
        values: for each variable a value that it can have; empty if only its name is known.
    """

    kind: CauseKind
    names: tuple[str, ...] = ()
    place: str = ""
    values: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """The cause as data for JSON; `from_data` reads it."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "FailureCause":
        """The cause from the data of `as_data`."""
        return cls(data["kind"], tuple(data["names"]), data["place"], tuple(data["values"]))

    @property
    def variables(self) -> dict[str, str]:
        """The variables, each with its value."""
        return dict(zip_longest(self.names, self.values, fillvalue=""))


def find_cause(error: BaseException, record: ImportRecord, root: str) -> FailureCause | None:
    """Find the cause of an error that an app raises while it is imported; None if there is no known one."""
    if record.server and isinstance(error, SystemExit | OSError):  # for example, its port is in use
        return FailureCause("server", place=shown_place(record.server, root))
    for each in _chain(error):
        if variables := settings_variables(each):
            return FailureCause("variable", tuple(variables), values=tuple(variables.values()))
    if names := _named_variables(error, record):
        return FailureCause("variable", names)
    if cause := _import_cause(error, record, root):
        return cause
    if record.connections:
        address, place = record.connections[0]
        return FailureCause("network", (address,), shown_place(place, root))
    names = _likely_variables(error, record)
    return FailureCause("variable", names) if names else None


def error_place(error: BaseException, record: ImportRecord) -> SourcePlace | None:
    """Return the user's line that failed: the innermost one."""
    if isinstance(error, SyntaxError) and error.filename:
        return SourcePlace(error.filename, error.lineno or 1)
    return next(reversed(_user_places(error, record)), None)


def error_text(error: BaseException) -> str:
    """An error as one line, without the values that a pydantic error shows."""
    details = pydantic_errors(error)
    if details:
        parts = [": ".join(filter(None, (".".join(map(str, detail["loc"])), detail["msg"]))) for detail in details]
        title = getattr(error, "title", "")
        text = f"{title}: {'; '.join(parts)}" if title.isidentifier() else "; ".join(parts)
    else:
        text = shorten(" ".join(str(error.msg if isinstance(error, SyntaxError) else error).split()), 200)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _user_places(error: BaseException, record: ImportRecord) -> list[SourcePlace]:
    places = [record.place(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    return [place for place in places if place]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(10):  # an app can build a chain that is a circle
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _named_variables(error: BaseException, record: ImportRecord) -> tuple[str, ...]:
    """Return the variables that the error, or an error behind it, names."""
    for each in _chain(error):
        if type(each).__name__ in _VARIABLE_OF_ERROR:
            return (_VARIABLE_OF_ERROR[type(each).__name__],)
        key = each.args[0] if isinstance(each, KeyError) and each.args else None
        if isinstance(key, str) and (key in record.missing or (record.is_copied and key.isupper())):
            return (key,)
    words = {word for each in _chain(error) for word in re.findall(r"\w+", str(each))}
    return tuple(name for name, variable in record.missing.items() if variable.place and name in words)


def _likely_variables(error: BaseException, record: ImportRecord) -> tuple[str, ...]:
    """Return the variables that explain the error: its value is refused, or it is read without a default and absent."""
    failed = _user_places(error, record)
    texts = [str(each) for each in _chain(error)]
    refused_variables = [name for name, place in sorted(record.readings, key=str) if place in failed] or [
        name for name in sorted(record.configured) if any(_shows(text, os.environ.get(name, "")) for text in texts)
    ]
    if refused_variables and not isinstance(error, ImportError):
        return tuple(dict.fromkeys(refused_variables))
    absent = [variable for variable in record.missing.values() if variable.is_direct and not variable.has_default]
    on_line = [variable for variable in absent if variable.place in failed]
    is_about_none = any(
        re.search(r"\bNone|absolute URL|base_url", f"{error_text(each)} {each}") for each in _chain(error)
    )
    likely: list[MissingVariable] = on_line or (absent if is_about_none or isinstance(error, SystemExit) else [])
    return tuple(variable.name for variable in likely)


def _shows(text: str, value: str) -> bool:
    return len(value) > 1 and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) is not None


def _import_cause(error: BaseException, record: ImportRecord, root: str) -> FailureCause | None:
    if not isinstance(error, ImportError | AttributeError):
        return None
    for module, file in _shadowing_files(record):
        if any(re.search(rf"\b{re.escape(module)}\b", str(each)) for each in _chain(error)):
            return FailureCause("shadowing", (os.path.relpath(file, root), module))
    if "attempted relative import" in str(error):
        return FailureCause("relative")
    return FailureCause("module", (error.name or "",)) if isinstance(error, ModuleNotFoundError) else None


def _shadowing_files(record: ImportRecord) -> Iterator[tuple[str, str]]:
    """Yield each module of the project that has the name of an installed module, with its file."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if "." in name or not isinstance(file, str) or record.place(file, 1) is None:
            continue
        other_folders = [folder for folder in sys.path if Path(folder).resolve() not in Path(file).resolve().parents]
        if PathFinder.find_spec(name, other_folders):
            yield name, file
