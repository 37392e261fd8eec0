"""The Jinja2 environment for render targets: every printed value is quoted, and an undefined name is an error."""

from collections.abc import Callable, Iterable, Mapping
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

from routegen.errors import ConfigError, UnsupportedRouteError, shorten
from routegen.manifest import Manifest
from routegen.render.render_target import RenderSettings, RenderTarget, find_target
from routegen.render.template_data import TemplateGateway


@dataclass(frozen=True)
class RenderRequest:
    """The input of `render`.

    Attributes:
        target: the target's name.
        manifest: the manifest to render.
        source: the manifest's name in the output; the same on every machine.
        variables: the values that the user set with `--set`.
        allowed: the approximations that the user accepts with `--allow`.
        templates: a folder with the user's own templates.
    """

    target: str
    manifest: Manifest
    source: str = "generated/routes.json"
    variables: Mapping[str, str] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()
    templates: Path | None = None


def source_name(manifest: Path) -> str:
    """Return the name of a manifest for outputs: they are committed, so they must not contain a path of one machine."""
    return manifest.name if manifest.is_absolute() else manifest.as_posix()


class Verbatim(str):
    """A text that is already written in the target's language."""

    __slots__ = ()


def render(request: RenderRequest) -> str:
    """Render a manifest for one target.

    Returns:
        The whole text of the output file.

    Raises:
        ConfigError: the target, a variable or an approximation is unknown; a variable has a wrong value; one of the
            user's templates cannot be read, or fails.
        UnsupportedRouteError: the target cannot express a route, and the user did not allow the approximation; or the
            manifest is larger than the target can hold.
    """
    target = find_target(request.target)
    gateway = TemplateGateway.from_manifest(request.manifest)
    _check_limits(request.target, target, gateway)
    _refuse_unknown("--allow", "approximation", request, request.allowed, target.approximations)
    settings = RenderSettings(_check_variables(target, gateway, request), request.allowed)
    data = {
        "gateway": gateway,
        "set": settings.variables,
        "generated": _generated_line(request),
        **target.prepare(gateway, settings),
    }
    try:
        output = _make_environment(target, request).get_template(target.template).render(data)
    except TemplateNotFound as error:
        raise ConfigError(f"--template: there is no template {error.name!r}") from None
    except TemplateSyntaxError as error:
        raise ConfigError(f"--template: {error.filename or error.name}, line {error.lineno}: {error.message}") from None
    except TemplateError as error:
        raise ConfigError(f"--template: {error.message}") from None
    if target.limits.output and len(output) > target.limits.output:
        raise _too_large("the output", f"{len(output)} characters", target.limits.output, request.target, target)
    return output


def _check_limits(name: str, target: RenderTarget, gateway: TemplateGateway) -> None:
    """Refuse what the target's limits do not permit, with the first app or route that is too large."""
    limits, quote = target.limits, target.quote if target.limits.path and target.quote else str
    sizes = [
        *((shorten(app.name), len(app.name), "characters in its name", limits.name) for app in gateway.apps),
        *((shorten(route.key), len(quote(route.path)), "characters", limits.path) for route in gateway.routes),
        ("the manifest", len(gateway.apps), "apps", limits.apps),
        ("the manifest", len(gateway.routes), "route keys", limits.routes),
    ]
    for subject, size, unit, limit in sizes:
        if limit and size > limit:
            raise _too_large(subject, f"{size} {unit}", limit, name, target)


def _too_large(subject: str, size: str, limit: int, name: str, target: RenderTarget) -> UnsupportedRouteError:
    return UnsupportedRouteError(
        f"{subject}: {size}, and {name} can hold {limit:,} ({target.limits.source}); "
        "shorten it, or render another target"
    )


def _generated_line(request: RenderRequest) -> Verbatim:
    """The line that names the origin of an output, in characters that cannot end a comment in any language."""
    source = "".join(char if char.isascii() and (char.isalnum() or char in "/._-") else "_" for char in request.source)
    source = source.replace("--", "__")  # a comment in HTML cannot contain two hyphens
    return Verbatim(f"Generated by `routegen render {request.target}` from {source}; do not edit.")


def _make_environment(target: RenderTarget, request: RenderRequest) -> Environment:
    loaders: list[BaseLoader] = [FileSystemLoader(request.templates)] if request.templates else []
    loaders += [
        PackageLoader(__package__, f"templates/{request.target}"),
        # A user's template extends the packaged template of the same file name as `routegen/TARGET/FILE`.
        PrefixLoader({"routegen": PackageLoader(__package__)}),
    ]
    environment = Environment(
        loader=ChoiceLoader(loaders),
        undefined=StrictUndefined,
        autoescape=target.quote is None,  # noqa: S701 - `quote` escapes in all other targets
        finalize=_make_finalize(target.quote) if target.quote else None,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["verbatim"] = Verbatim
    return environment


def _make_finalize(quote: Callable[[Any], str]) -> Callable[[Any], str]:
    def finalize(value: Any) -> str:
        if isinstance(value, Verbatim):
            return value
        if isinstance(value, StrictUndefined):
            return str(value)  # raises an error that names the undefined variable
        return quote(value)

    return finalize


def _check_variables(target: RenderTarget, gateway: TemplateGateway, request: RenderRequest) -> Mapping[str, str]:
    variables = {
        name.replace("{app}", app.name): variable
        for name, variable in target.variables.items()
        for app in (gateway.apps if "{app}" in name else gateway.apps[:1])
    }
    _refuse_unknown("--set", "variable", request, request.variables, variables)
    values = {name: request.variables.get(name, variable.default) for name, variable in variables.items()}
    for name, value in values.items():
        try:
            variables[name].check(value)
        except ValueError as error:
            raise ConfigError(f"--set: {name} {error}, is {shorten(value)!r}") from None
    return values


def _refuse_unknown(
    option: str, noun: str, request: RenderRequest, names: Iterable[str], possible_names: Iterable[str]
) -> None:
    for name in sorted(set(names).difference(possible_names)):
        listed_names = shorten(", ".join(possible_names), 100) or f"no {noun}s"
        raise ConfigError(
            f"{option}: the target {request.target} has no {noun} {shorten(name)!r}; it has {listed_names}"
        )
