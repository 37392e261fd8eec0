"""What a target is, and where it is found."""

import difflib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from routegen.errors import ConfigError
from routegen.render import targets
from routegen.render.data import Gateway


@dataclass(frozen=True)
class Variable:
    """Something that a user may set with `--set NAME=VALUE`.

    Attributes:
        default: used where nothing is set.
        about: what it is, for `--help` and the docs.
        check: raises ValueError, with a phrase that says what it must be.
    """

    default: str
    about: str
    check: Callable[[str], object] = str


@dataclass(frozen=True)
class Asked:
    """What a target's `prepare` gets to know.

    Attributes:
        variables: each of the target's, as set or by default.
        allowed: approximations that the user accepts.
    """

    variables: Mapping[str, str]
    allowed: frozenset[str]


@dataclass(frozen=True)
class Target:
    """One language that a gateway can be said in.

    Attributes:
        about: one line on what comes out, and for whom.
        template: the file to start with, in the target's own folder.
        quote: how a value stands in this language: everything that a template prints goes through it, so that no
            text of a manifest can break out of its string. None for HTML, where Jinja2's own escaping does it.
        prepare: makes the template's data, beside what all templates see; raises UnsupportedRouteError for what the
            target can't say and the user has not allowed.
        variables: by name; `{app}` in a name stands for each app's name.
        approximations: what `--allow` takes, with what is given up.
    """

    about: str
    template: str
    quote: Callable[[Any], str] | None
    prepare: Callable[[Gateway, Asked], Mapping[str, Any]]
    variables: Mapping[str, Variable] = field(default_factory=dict)
    approximations: Mapping[str, str] = field(default_factory=dict)


def target_names() -> tuple[str, ...]:
    """Every target's name, sorted; imports none of them."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(targets.__path__)))


def find_target(name: str) -> Target:
    """The target of a name.

    Raises:
        ConfigError: there is none; the text has the nearest.
    """
    names = target_names()
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)[0]
        raise ConfigError(f"there is no target {name!r}; the nearest is {near!r}, and all are: {', '.join(names)}")
    found: Target = import_module(f"{targets.__name__}.{name}").TARGET
    return found
