"""Protection of resources, dependencies between them, and outputs of the stack."""

import re
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from helpers.pulumi_program import Checkout, RecordedStack
from helpers.support import PROJECT
from pulumi.runtime.mocks import MockMonitor

Requests = dict[tuple[str, str], Any]


@pytest.fixture
def requests(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> Requests:
    """The requests to the engine, by kind and name. Pulumi's mocks show only the inputs, not the options."""
    recorded: Requests = {}
    register = MockMonitor.RegisterResource

    def record(monitor: MockMonitor, request: Any) -> Any:
        recorded[request.type.rpartition(":")[2], request.name] = request
        return register(monitor, request)  # type: ignore[no-untyped-call]  # Pulumi has no types for it

    monkeypatch.setattr(MockMonitor, "RegisterResource", record)
    checkout.up()
    return recorded


def dependencies(request: Any) -> set[tuple[str, str]]:
    """The resources that a resource depends on, by kind and name."""
    return {(urn.split("::")[2].rpartition(":")[2], urn.split("::")[3]) for urn in request.dependencies}


def test_only_the_file_system_and_its_backup_are_kept(requests: Requests) -> None:
    assert [name for name, request in requests.items() if request.protect] == [("FileSystem", "wiki")]
    retained = [name for name, request in requests.items() if request.retainOnDelete]
    assert retained == [("FileSystem", "wiki"), ("BackupPolicy", "wiki")]


def test_a_function_depends_on_its_log_group_and_role(requests: Requests) -> None:
    for name in ("mcp", "wiki"):
        needed = {("LogGroup", name), ("Role", name), ("RolePolicy", name)}
        assert needed <= dependencies(requests["Function", name])


def test_the_wiki_function_depends_on_everything_that_mounting_needs(requests: Requests) -> None:
    """Lambda mounts the file system when it creates the function."""
    targets = {name for name in requests if name[0] == "MountTarget"}
    assert len(targets) == 2
    rules = {name for name in requests if name[0] in {"SecurityGroupEgressRule", "SecurityGroupIngressRule"}}
    assert len(rules) == 2
    needed = {*targets, *rules, ("AccessPoint", "wiki")}
    assert needed <= dependencies(requests["Function", "wiki"])


def test_the_domain_depends_on_a_validated_certificate(requests: Requests) -> None:
    assert ("CertificateValidation", "domain") in dependencies(requests["DomainName", "domain"])


def test_the_outputs_of_the_stack(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
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
        "api_endpoint": None,  # AWS sets it, and the mocks do not
        "mcp_function": "wikibot-dev-mcp:live",
        "wiki_function": "wikibot-dev-wiki:live",
        "mcp_version": "7",
        "wiki_version": "7",
    }


def test_the_committed_configuration_is_valid_and_has_the_defaults(checkout: Checkout, stack: RecordedStack) -> None:
    text = (PROJECT / "infra" / "Pulumi.dev.yaml").read_text()
    config = dict(re.findall(r'^  wikibot:(\w+): "?([^"\n]*)"?$', text, re.MULTILINE))
    assert len(config) == text.count("wikibot:")
    assert checkout.up(**config).everything() == stack.everything()


@pytest.mark.parametrize("stack", ["Dev", "dev.eu", "dev--eu", "dev-", "x" * 60])
def test_a_stack_name_that_aws_refuses_is_an_error(
    error_line: Callable[..., str], monkeypatch: pytest.MonkeyPatch, stack: str
) -> None:
    monkeypatch.setattr(pulumi, "get_stack", lambda: stack)
    line = error_line()
    assert line.startswith(f"the stack's name: wikibot-{stack} is not a name that all AWS resources can have")
    assert line.endswith("(run: pulumi stack rename NAME)")
