"""Run the real Pulumi program with Pulumi's mocks instead of its engine; `tests/infra` has fixtures for it."""

import json
import runpy
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks, set_all_config, set_mocks
from pulumi.runtime.mocks import test as _wait_for_all_resources

DIGEST = f"sha256:{'0' * 64}"
REQUIRED = {
    "authkit_domain": "https://example.authkit.app",
    "client_id": "client_01EXAMPLE",
    "domain": "dev.wikibot.io",
    "hosted_zone": "wikibot.io",
    "read_access": "APPROVED",
    "admin_email": "admin@example.com",
    # of the password "long enough", with few rounds
    "admin_password_hash": "pbkdf2:sha256:10$8cFCcRh4$5af8ebfcebb3222625d535a9476e094da58bb6b7363e60ff0af53a01cec6c429",
    "reader_token": "0123456789abcdef0123456789abcdef",
}
DEPLOYED_WIKI = {
    "SITE_NAME": "An Otter Wiki",
    "SITE_URL": "https://dev.wikibot.io",
    "READ_ACCESS": "APPROVED",
    "WRITE_ACCESS": "APPROVED",
    "ATTACHMENT_ACCESS": "APPROVED",
    "AUTO_APPROVAL": "False",
    "WIKI_ADMIN_EMAIL": REQUIRED["admin_email"],
    "WIKI_ADMIN_PASSWORD_HASH": REQUIRED["admin_password_hash"],
    "WIKI_READER_TOKEN_HASH": sha256(REQUIRED["reader_token"].encode()).hexdigest(),
}
"""The environment of the wiki's function, without the directory of its data."""


@dataclass(frozen=True)
class Resource:
    """A resource that the program has registered."""

    type: str
    name: str
    inputs: dict[str, Any]


_SECRET = "4dabf18193072939515e22adb298388d"
"""The key that marks a secret in Pulumi's protocol."""


def _comparable(value: Any) -> Any:
    """Return the value of a secret, or the path of an archive, because archives with the same path are not equal."""
    if isinstance(value, dict) and _SECRET in value:
        return value["value"]
    return value.path if isinstance(value, pulumi.FileArchive) else value


@dataclass
class RecordedStack(Mocks):
    """A mock of the engine that records every resource and creates nothing."""

    resources: list[Resource] = field(default_factory=list)
    secrets: set[tuple[str, str]] = field(default_factory=set)  # the type and the key of each secret input

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if not args.typ.startswith("pulumi:"):
            inputs = {name: _comparable(value) for name, value in args.inputs.items()}
            self.secrets |= {
                (args.typ, key) for key, value in args.inputs.items() if isinstance(value, dict) and _SECRET in value
            }
            self.resources.append(Resource(args.typ, args.name, inputs))
        kind = args.typ.rpartition("/")[2].lower()
        outputs: dict[str, Any] = {
            "arn": f"arn:aws:{args.typ.split('/')[0].rpartition(':')[2]}:eu-central-1:111122223333:{kind}/{args.name}",
            "executionArn": "arn:aws:execute-api:eu-central-1:111122223333:a1b2c3",
            "invokeArn": f"arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/{args.name}/invocations",
            # As in the real provider, `ref` of a pushed image has the first tag and the digest.
            "ref": f"111122223333.dkr.ecr.eu-central-1.amazonaws.com/wiki:latest@{DIGEST}",
            "digest": DIGEST,
            "repositoryUrl": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/wiki",
            "registryId": "111122223333",
            "version": "7",
            "fqdn": "_x.dev.wikibot.io",
            "domainValidationOptions": [
                {
                    "resourceRecordName": "_x.dev.wikibot.io",
                    "resourceRecordType": "CNAME",
                    "resourceRecordValue": "_y.aws",
                }
            ],
        }
        if isinstance(configuration := args.inputs.get("domainNameConfiguration"), dict):
            alias_target = {"targetDomainName": "d-1.execute-api.eu-central-1.amazonaws.com", "hostedZoneId": "Z1"}
            outputs["domainNameConfiguration"] = {**configuration, **alias_target}
        return f"{args.name}-id", {"name": args.name, **outputs, **args.inputs}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        answers: dict[str, dict[str, Any]] = {
            "aws:index/getAvailabilityZones:getAvailabilityZones": {"names": ["eu-central-1a", "eu-central-1b"]},
            "aws:index/getPartition:getPartition": {"partition": "aws"},
            "aws:index/getRegion:getRegion": {"region": "eu-central-1"},
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "111122223333"},
            "aws:route53/getZone:getZone": {"zoneId": "Z0"},
            "aws:efs/getFileSystem:getFileSystem": {**args.args, "arn": f"arn:of:{args.args.get('fileSystemId')}"},
            "aws:apigatewayv2/getApi:getApi": {"executionArn": "arn:aws:execute-api:eu-central-1:111122223333:a1b2c3"},
            "aws:ecr/getAuthorizationToken:getAuthorizationToken": {"userName": "AWS", "password": "x"},
        }
        return answers[args.token], []

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """The inputs of every resource of a kind, such as `Route`, by name."""
        return {resource.name: resource.inputs for resource in self.resources if resource.type.endswith(f":{kind}")}

    def everything(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The inputs of every resource, by type and name."""
        return {(resource.type, resource.name): resource.inputs for resource in self.resources}


@dataclass(frozen=True)
class Checkout:
    """A directory with the program, a manifest, and the `lambda.json` of both packages."""

    root: Path

    @property
    def manifest(self) -> Path:
        return self.root / "generated" / "routes.json"

    def write(self, manifest: Mapping[str, Any]) -> None:
        self.manifest.write_text(json.dumps(manifest))

    def up(self, **config: str) -> RecordedStack:
        """Run the program with REQUIRED and other configuration keys; a key with an empty value is not set."""
        stack = RecordedStack()
        set_mocks(stack, project="wikibot", stack="dev", preview=False)
        set_all_config({f"wikibot:{key}": value for key, value in {**REQUIRED, **config}.items() if value})
        for module in self.root.glob("infra/[a-z]*.py"):
            sys.modules.pop(module.stem, None)
        sys.path.insert(0, str(self.root / "infra"))
        try:
            _wait_for_all_resources(self._program)()  # type: ignore[no-untyped-call]  # Pulumi gives it no types
        except pulumi.RunError as error:
            raise ProgramStopped(str(error), stack.resources) from None
        finally:
            sys.path.remove(str(self.root / "infra"))
        return stack

    def _program(self) -> None:
        runpy.run_path(str(self.root / "infra" / "__main__.py"))


class ProgramStopped(Exception):  # noqa: N818 - it is an event, not an error of the tests
    """The program has ended with an error line; `registered` has the resources that it had registered before."""

    def __init__(self, line: str, registered: list[Resource]) -> None:
        super().__init__(line)
        self.line = line
        self.registered = registered
