"""The measurements of the probe, on the local gateway."""

import json
import runpy
from collections.abc import Iterator
from typing import Any

import pytest
from helpers.support import PROJECT
from routegen.config import AppConfig, Config
from routegen.serve.local_gateway import open_socket
from routegen.serve.serve_settings import ServeSettings
from serve.running_gateway import RunningGateway, running_gateway

PROBE = PROJECT / "dev" / "probe"


@pytest.fixture(scope="module")
def measure() -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROBE))
        yield runpy.run_path(str(PROBE / "measure.py"))


@pytest.fixture(scope="module")
def route_keys() -> tuple[str, ...]:
    variables = runpy.run_path(str(PROBE / "probe_routes.py"))
    return (*variables["ROUTE_KEYS"], *variables["OTHER_ROUTE_KEYS"])


@pytest.fixture(scope="module")
def gateway(route_keys: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """The local gateway with the routes and the function of the probe."""
    folder = tmp_path_factory.mktemp("probe")
    paths = sorted({key.partition(" ")[2] for key in route_keys})
    routes = []
    for path in paths:
        keys = sorted(key for key in route_keys if key.endswith(f" {path}"))
        methods = sorted(key.partition(" ")[0] for key in keys)
        routes.append({"path": path, "methods": methods, "app": "probe", "role": "other", "route_keys": keys})
    manifest = folder / "routes.json"
    manifest.write_text(json.dumps({"version": 1, "default": "rest", "routes": routes}))
    probe, rest = (
        AppConfig(
            target="unused.py:app",
            handler="echo_function.handler",
            path=str(PROBE / "function"),
            name=name,
            root=folder,
        )
        for name in ("probe", "rest")
    )
    config = Config(default="rest", manifest=manifest, apps=(probe,), default_app=rest)
    with open_socket("127.0.0.1", 0) as listening, running_gateway(config, ServeSettings(), listening) as running:
        yield running


def test_the_local_gateway_does_what_the_constants_say(
    measure: dict[str, Any], gateway: RunningGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    assert measure["main"](gateway.url) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines.pop() == "no constant differs"
    assert [line for line in lines if line.startswith("as assumed")] == lines[: len(measure["QUESTIONS"])]
    assert "WWW-Authenticate arrives as x-amzn-remapped-www-authenticate (payload format 2.0)" in lines[-3]


def test_a_constant_that_differs_is_named(
    measure: dict[str, Any],
    gateway: RunningGateway,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from routegen.gateway import assumptions

    monkeypatch.setattr(assumptions, "PATH_IS_DECODED", False)
    assert measure["main"](gateway.url) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "change:",
        "routegen.gateway.assumptions: PATH_IS_DECODED = True (is False)",
    ]


def test_each_constant_that_aws_leaves_open_has_a_question(measure: dict[str, Any]) -> None:
    from routegen.gateway import assumptions
    from routegen.serve import aws_behaviour

    asked = {question.constant for question in measure["QUESTIONS"]}
    documented = {"MEGABYTE", "MAX_BODY_BYTES", "MAX_LAMBDA_PAYLOAD_BYTES", "INTEGRATION_TIMEOUT"}
    needs_another_server = {"UPSTREAM_UNREACHABLE_STATUS"}
    constants = {name for module in (assumptions, aws_behaviour) for name in vars(module) if name.isupper()}
    assert asked == constants - documented - needs_another_server
