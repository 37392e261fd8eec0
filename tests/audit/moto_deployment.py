"""The manifest's gateway in moto, created as the Pulumi program does, by calls that botocore validates."""

import io
import json
import zipfile
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
from helpers.moto_account import REGION
from helpers.support import PROJECT
from routegen.manifest import Manifest

MANIFEST = PROJECT / "generated" / "routes.json"
ACCOUNT = "123456789012"  # the account of moto
DOMAIN = "dev.wikibot.io"


@cache
def make_client(service: str) -> Any:
    """Return a client of a service, the same for all tests: it keeps no state of the account."""
    # The stubs know each service only by a literal name.
    return boto3.Session("testing", "testing", region_name=REGION).client(service)  # type: ignore[call-overload]


@dataclass
class MotoDeployment:
    """A deployed API with methods that change it."""

    manifest: Manifest
    gateway: Any = field(default_factory=lambda: make_client("apigatewayv2"))
    functions: Any = field(default_factory=lambda: make_client("lambda"))
    api_id: str = ""
    integrations: dict[str, str] = field(default_factory=dict)
    arns: dict[str, str] = field(default_factory=dict)
    routes: dict[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.api_id}"

    def create(self) -> "MotoDeployment":
        api = self.gateway.create_api(Name="wikibot", ProtocolType="HTTP", DisableExecuteApiEndpoint=True)
        self.api_id = api["ApiId"]
        for app in ("mcp", "otterwiki"):
            self.create_function(app)
            self.add_permission(app, f"{self.source}/*/*")
            self.integrations[app] = self.create_integration(self.arns[app])
        for route in self.manifest.routes:
            for key in route.route_keys:
                self.create_route(key, route.app)
        if self.manifest.default:
            self.create_route("$default", self.manifest.default)
        self.create_stage("$default")
        self.create_domain(DOMAIN)
        return self

    def create_function(self, app: str) -> str:
        name = f"wikibot-{app}"
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("handler.py", "")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = make_client("iam").create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )
        created = self.functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="handler.handler",
            Code={"ZipFile": archive.getvalue()},
        )
        self.arns[app] = created["FunctionArn"]
        return name

    def add_permission(self, app: str, source: str | None, **parameters: str) -> None:
        self.functions.add_permission(
            FunctionName=f"wikibot-{app}",
            StatementId=f"s{len(json.dumps(self.statements(app)))}",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            **({"SourceArn": source} if source else {}),
            **parameters,
        )

    def statements(self, app: str) -> list[dict[str, Any]]:
        try:
            policy = self.functions.get_policy(FunctionName=f"wikibot-{app}")["Policy"]
        except self.functions.exceptions.ResourceNotFoundException:
            return []
        statements: list[dict[str, Any]] = json.loads(policy)["Statement"]
        return statements

    def remove_permissions(self, app: str) -> None:
        for statement in self.statements(app):
            self.functions.remove_permission(FunctionName=f"wikibot-{app}", StatementId=statement["Sid"])

    def create_integration(self, uri: str, **parameters: Any) -> str:
        invocations = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{uri}/invocations"
        created = self.gateway.create_integration(
            **{
                "ApiId": self.api_id,
                "IntegrationType": "AWS_PROXY",
                "IntegrationMethod": "POST",
                "IntegrationUri": invocations,
                "PayloadFormatVersion": "2.0",
                **parameters,
            }
        )
        integration_id: str = created["IntegrationId"]
        return integration_id

    def set_target(self, key: str, integration: str) -> None:
        self.gateway.update_route(
            ApiId=self.api_id, RouteId=self.routes[key], RouteKey=key, Target=f"integrations/{integration}"
        )

    def create_route(self, key: str, app: str, **parameters: Any) -> None:
        target = f"integrations/{self.integrations[app]}"
        created = self.gateway.create_route(ApiId=self.api_id, RouteKey=key, Target=target, **parameters)
        self.routes[key] = created["RouteId"]

    def delete_route(self, key: str) -> None:
        self.gateway.delete_route(ApiId=self.api_id, RouteId=self.routes.pop(key))

    def create_stage(self, name: str, **parameters: Any) -> None:
        self.gateway.create_stage(**{"ApiId": self.api_id, "StageName": name, "AutoDeploy": True, **parameters})

    def create_domain(self, name: str, stage: str = "$default", key: str = "") -> None:
        self.gateway.create_domain_name(DomainName=name)
        self.gateway.create_api_mapping(
            ApiId=self.api_id, DomainName=name, Stage=stage, **({"ApiMappingKey": key} if key else {})
        )
