"""Jinja2, set up so that nothing undefined, unescaped or different on each run comes out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)

from routegen.errors import ConfigError
from routegen.manifest import Manifest
from routegen.render import targets
from routegen.render.data import Gateway
from routegen.render.target import Asked, Target, find_target, target_names


@dataclass(frozen=True)
class Request:
    """What to render.

    Attributes:
        target: its name.
        manifest: what it is made from.
        source: how the output names the manifest; no machine's path.
        variables: what the user has set.
        allowed: approximations that the user accepts.
        templates: a folder of the user's own templates.
    """

    target: str
    manifest: Manifest
    source: str = "generated/routes.json"
    variables: Mapping[str, str] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()
    templates: Path | None = None


class Verbatim(str):
    """A text that is in the target's language already."""

    __slots__ = ()


def render(request: Request) -> str:
    """Render one target.

    Raises:
        ConfigError: an unknown target, variable or approximation; a value that a variable can't have; a template of the
            user's that can't be read, or that fails.
        UnsupportedRouteError: the target can't say something of the manifest, and it isn't allowed to say less.
    """
    target = find_target(request.target)
    gateway = Gateway.of(request.manifest)
    asked = Asked(_variables(target, gateway, request), _allowed(target, request))
    data = {
        "gateway": gateway,
        "set": asked.variables,
        "generated": {"source": request.source, "command": f"routegen render {request.target}"},
        **target.prepare(gateway, asked),
    }
    try:
        return _environment(target, request).get_template(target.template).render(data)
    except TemplateNotFound as error:
        raise ConfigError(f"--template: there is no template {error.name!r}") from None
    except TemplateSyntaxError as error:
        raise ConfigError(f"--template: {error.filename or error.name}, line {error.lineno}: {error.message}") from None
    except TemplateError as error:
        raise ConfigError(f"--template: {error.message}") from None


def _environment(target: Target, request: Request) -> Environment:
    ours = {name: PackageLoader(f"{targets.__name__}.{name}", "") for name in target_names()}
    loaders: list[BaseLoader] = [FileSystemLoader(request.templates)] if request.templates else []
    # Then ours, by file; and from a user's template, which may have the same file name, by `routegen/TARGET/file`.
    loaders += [ours[request.target], PrefixLoader({"routegen": PrefixLoader(ours)})]
    environment = Environment(
        loader=ChoiceLoader(loaders),
        undefined=StrictUndefined,
        autoescape=target.quote is None,  # noqa: S701 - `quote` escapes everywhere else
        finalize=_quoting(target.quote) if target.quote else None,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["verbatim"] = Verbatim
    return environment


def _quoting(quote: Callable[[Any], str]) -> Callable[[Any], str]:
    def finalize(value: Any) -> str:
        if isinstance(value, Verbatim):
            return value
        if isinstance(value, StrictUndefined):
            return str(value)  # which raises, and says what is undefined
        return quote(value)

    return finalize


def _variables(target: Target, gateway: Gateway, request: Request) -> Mapping[str, str]:
    known = {
        name.replace("{app}", app.name): variable
        for name, variable in target.variables.items()
        for app in (gateway.apps if "{app}" in name else gateway.apps[:1])
    }
    for name in request.variables:
        if name not in known:
            raise ConfigError(f"--set: {request.target} has no {name!r}; it has {', '.join(known) or 'nothing to set'}")
    values = {name: request.variables.get(name, variable.default) for name, variable in known.items()}
    for name, value in values.items():
        try:
            known[name].check(value)
        except ValueError as error:
            raise ConfigError(f"--set: {name} {error}, is {value!r}") from None
    return values


def _allowed(target: Target, request: Request) -> frozenset[str]:
    for name in request.allowed:
        if name not in target.approximations:
            names = ", ".join(target.approximations) or "none"
            raise ConfigError(f"--allow: {request.target} has no approximation {name!r}; it has {names}")
    return request.allowed
