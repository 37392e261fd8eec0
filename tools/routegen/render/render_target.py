"""The description of a render target, and the look-up of a target by its name."""

import difflib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from routegen.errors import ConfigError
from routegen.render import targets
from routegen.render.template_data import TemplateGateway


@dataclass(frozen=True)
class TargetVariable:
    """A value that a user can set with `--set NAME=VALUE`.

    Attributes:
        default: the value where the user sets none.
        description: the meaning of the value, for `routegen render --list`.
        check: raises ValueError for a wrong value, with a phrase such as "must be host:port".
    """

    default: str
    description: str
    check: Callable[[str], object] = str


@dataclass(frozen=True)
class RenderSettings:
    """The user's settings for one target, checked and complete: every variable, and the accepted approximations."""

    variables: Mapping[str, str]
    allowed: frozenset[str]


@dataclass(frozen=True)
class TargetLimits:
    """How much a target can hold; None where it has no limit that a manifest can reach.

    Attributes:
        name: characters of an app's name.
        path: characters of a path, as the target's literal of it.
        apps: the number of apps, with the default app.
        routes: the number of route keys.
        output: characters of the whole output.
        source: the rule, for the error message.
    """

    name: int | None = None
    path: int | None = None
    apps: int | None = None
    routes: int | None = None
    output: int | None = None
    source: str = ""


def _no_extra_data(_gateway: TemplateGateway, _settings: RenderSettings) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class RenderTarget:
    """One tool or document format that a manifest can be written for.

    Attributes:
        summary: one line that names the output and its use, for `routegen render --list`.
        template: the file name of the main template, in the target's own folder.
        quote: writes a value as a literal of the target's language. Everything that a template prints goes through it,
            so that no text of a manifest can end its string. None for HTML, where Jinja2's own escaping does this.
        prepare: makes the data that only this target's templates use. It raises UnsupportedRouteError for a route that
            the target cannot express, unless the user allowed the approximation.
        variables: the variables by name; `{app}` in a name is replaced by the name of each app.
        approximations: the names that `--allow` accepts, each with a description of the difference.
        limits: how much the target can hold; more than that is an UnsupportedRouteError.
    """

    summary: str
    template: str
    quote: Callable[[Any], str] | None
    prepare: Callable[[TemplateGateway, RenderSettings], Mapping[str, Any]] = _no_extra_data
    variables: Mapping[str, TargetVariable] = field(default_factory=dict)
    approximations: Mapping[str, str] = field(default_factory=dict)
    limits: TargetLimits = TargetLimits()


def target_names() -> tuple[str, ...]:
    """Return the names of all targets, sorted, without importing any of them."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(targets.__path__)))


def find_target(name: str) -> RenderTarget:
    """Import and return the target with a name.

    Raises:
        ConfigError: no target has the name; the text names the most similar target.
    """
    names = target_names()
    if name not in names:
        nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.0)[0]
        raise ConfigError(
            f"TARGET: there is no target {name!r}; the nearest is {nearest!r}; all targets: {', '.join(names)}"
        )
    target: RenderTarget = import_module(f"{targets.__name__}.{name}").TARGET
    return target
