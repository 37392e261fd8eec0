"""What the inputs of a resource don't show: what is protected, and what waits for what."""

import re
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from helpers.stack import Checkout
from helpers.support import PROJECT
from pulumi.runtime.mocks import MockMonitor

Requests = dict[tuple[str, str], Any]


@pytest.fixture
def requests(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> Requests:
    """The engine's requests by kind and name: Pulumi's mocks hand on the inputs alone."""
    seen: Requests = {}
    register = MockMonitor.RegisterResource

    def noted(monitor: MockMonitor, request: Any) -> Any:
        seen[request.type.rpartition(":")[2], request.name] = request
        return register(monitor, request)  # type: ignore[no-untyped-call]  # Pulumi gives it no types

    monkeypatch.setattr(MockMonitor, "RegisterResource", noted)
    checkout.up()
    return seen


def awaited(request: Any) -> set[tuple[str, str]]:
    """What a resource waits for, by kind and name."""
    return {(urn.split("::")[2].rpartition(":")[2], urn.split("::")[3]) for urn in request.dependencies}


def test_the_wikis_data_and_nothing_else_is_protected_and_kept(requests: Requests) -> None:
    assert [name for name, request in requests.items() if request.protect] == [("FileSystem", "wiki")]
    assert [name for name, request in requests.items() if request.retainOnDelete] == [("FileSystem", "wiki")]


def test_a_function_waits_for_its_logs_and_its_rights(requests: Requests) -> None:
    for name in ("mcp", "wiki"):
        needed = {("LogGroup", name), ("Role", name), ("RolePolicy", name)}
        assert needed <= awaited(requests["Function", name])


def test_the_wiki_waits_for_a_way_to_its_data(requests: Requests) -> None:
    """Lambda mounts the file system as soon as the function exists."""
    targets = {name for name in requests if name[0] == "MountTarget"}
    assert len(targets) == 2
    needed = {*targets, ("AccessPoint", "wiki"), ("SecurityGroupIngressRule", "wiki-storage-from-function")}
    assert needed <= awaited(requests["Function", "wiki"])


def test_the_domain_waits_for_a_valid_certificate(requests: Requests) -> None:
    assert ("CertificateValidation", "domain") in awaited(requests["DomainName", "domain"])


def test_the_outputs(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs: dict[str, Any] = {}
    monkeypatch.setattr(
        pulumi, "export", lambda name, value: pulumi.Output.from_input(value).apply(lambda v: outputs.update({name: v}))
    )
    checkout.up()
    assert outputs.pop("route_keys")[0] == "$default"
    assert outputs == {
        "url": "https://dev.wikibot.io",
        "mcp_url": "https://dev.wikibot.io/mcp",
        "wiki_url": "https://dev.wikibot.io",
        "api_id": "api-id",
        "api_endpoint": None,  # AWS's, which the mocks don't know
        "mcp_function": "wikibot-dev-mcp",
        "wiki_function": "wikibot-dev-wiki",
    }


def test_the_committed_stack_is_valid_and_states_the_defaults(checkout: Checkout) -> None:
    text = (PROJECT / "infra" / "Pulumi.dev.yaml").read_text()
    config = dict(re.findall(r'^  wikibot:(\w+): "?([^"\n]*)"?$', text, re.MULTILINE))
    assert len(config) == text.count("wikibot:")
    assert checkout.up(**config).everything() == checkout.up().everything()


@pytest.mark.parametrize("stack", ["Dev", "dev.eu", "dev--eu", "dev-", "x" * 60])
def test_a_stack_whose_name_aws_would_refuse(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch, stack: str
) -> None:
    monkeypatch.setattr(pulumi, "get_stack", lambda: stack)
    assert refused().startswith(f"the stack's name: wikibot-{stack} ")
