"""The Pulumi program of the probe, with Pulumi's mocks."""

import runpy
import sys

import pytest
from helpers.component_program import run_program
from helpers.support import PROJECT

PROBE = PROJECT / "dev" / "probe"


def test_the_program_creates_the_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PROBE))
    for name in ("probe_routes", "probe_stack"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    def program() -> None:  # a result would become an output of Pulumi
        runpy.run_path(str(PROBE / "__main__.py"))

    stack = run_program(program)
    names = runpy.run_path(str(PROBE / "probe_routes.py"))
    integrations = {urn.split("::")[-1]: item.inputs for urn, item in stack.items() if ":Integration::" in urn}
    assert {name: item["payloadFormatVersion"] for name, item in integrations.items()} == {
        "probe-2": "2.0", "probe-1": "1.0", "probe-mapped": "2.0",
    }  # fmt: skip
    assert [name for name, item in integrations.items() if "responseParameters" in item] == ["probe-mapped"]
    older, mapped = names["OTHER_ROUTE_KEYS"]
    assert {item.inputs["routeKey"]: item.inputs["target"] for urn, item in stack.items() if ":Route::" in urn} == {
        **dict.fromkeys((*names["ROUTE_KEYS"], "$default"), "integrations/probe-2-id"),
        older: "integrations/probe-1-id",
        mapped: "integrations/probe-mapped-id",
    }
