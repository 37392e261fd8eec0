"""Run a short Pulumi program with Pulumi's mocks, and record the identity of each resource as the engine sees it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi
from helpers.pulumi_program import ProgramStopped, RecordedStack
from pulumi.runtime import set_mocks
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.mocks import test as _wait_for_all_resources
from pulumi.runtime.proto import resource_pb2

PREFIX = "urn:pulumi:prod::tools"


@dataclass(frozen=True)
class RegisteredResource:
    """A resource with the identities that the engine looks for in the state.

    Attributes:
        urn: its URN.
        former_urns: the URNs of its aliases.
        import_id: the id with which it is imported; empty if it is not.
        inputs: its inputs.
    """

    urn: str
    former_urns: tuple[str, ...]
    import_id: str
    inputs: dict[str, Any]


@dataclass
class _RecordingMonitor(MockMonitor):
    mocks: RecordedStack
    registered: list[RegisteredResource] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.mocks)

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine does: the types of all parents, without that of the stack."""
        parent_type = "" if not parent or "pulumi:pulumi:Stack" in parent else f"{parent.split('::')[2]}$"
        return f"{PREFIX}::{parent_type}{type_}::{name}"

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> Any:  # noqa: N802 - gRPC's name
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # Pulumi gives it no types
        if not request.type.startswith("pulumi:"):
            former = tuple(self._former_urn(request, alias) for alias in request.aliases)
            inputs = self.mocks.everything().get((request.type, request.name), {})
            self.registered.append(RegisteredResource(response.urn, former, request.importId, inputs))
        return response

    def _former_urn(self, request: resource_pb2.RegisterResourceRequest, alias: Any) -> str:
        if alias.urn:
            return str(alias.urn)
        parent = "" if alias.spec.noParent else alias.spec.parentUrn or request.parent
        return self.make_urn(parent, alias.spec.type or request.type, alias.spec.name or request.name)


def run_program(program: Callable[[], object]) -> dict[str, RegisteredResource]:
    """Run a program and return its resources by URN; raise ProgramStopped for `pulumi.RunError`."""
    stack = RecordedStack()
    monitor = _RecordingMonitor(stack)
    set_mocks(stack, project="tools", stack="prod", preview=False, monitor=monitor)
    try:
        _wait_for_all_resources(program)()  # type: ignore[no-untyped-call]  # Pulumi gives it no types
    except pulumi.RunError as error:
        raise ProgramStopped(str(error), stack.resources) from None
    resources = {resource.urn: resource for resource in monitor.registered}
    assert len(resources) == len(monitor.registered), "the engine refuses two resources with one URN"
    return resources
