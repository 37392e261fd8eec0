"""The manifest's gateway in moto's AWS, made by calls that botocore validates, as the Pulumi program makes it."""

import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import Any

import boto3
from helpers.support import PROJECT
from routegen.manifest import Manifest

MANIFEST = PROJECT / "generated" / "routes.json"
REGION = "eu-central-1"
ACCOUNT = "123456789012"  # moto's
DOMAIN = "dev.wikibot.io"


@dataclass
class Deployment:
    """What is there, by the names that the tests use for it."""

    manifest: Manifest
    gateway: Any = field(default_factory=lambda: boto3.client("apigatewayv2", REGION))
    functions: Any = field(default_factory=lambda: boto3.client("lambda", REGION))
    api_id: str = ""
    integrations: dict[str, str] = field(default_factory=dict)
    arns: dict[str, str] = field(default_factory=dict)
    routes: dict[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.api_id}"

    def up(self) -> "Deployment":
        api = self.gateway.create_api(Name="wikibot", ProtocolType="HTTP", DisableExecuteApiEndpoint=True)
        self.api_id = api["ApiId"]
        for app in ("mcp", "otterwiki"):
            self.function(app)
            self.permit(app, f"{self.source}/*/*")
            self.integrations[app] = self.integration(self.arns[app])
        for route in self.manifest.routes:
            for key in route.route_keys:
                self.route(key, route.app)
        self.route("$default", self.manifest.default)
        self.stage("$default")
        self.domain(DOMAIN)
        return self

    def function(self, app: str) -> str:
        name = f"wikibot-{app}"
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("handler.py", "")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = boto3.client("iam").create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )
        made = self.functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="handler.handler",
            Code={"ZipFile": archive.getvalue()},
        )
        self.arns[app] = made["FunctionArn"]
        return name

    def permit(self, app: str, source: str | None, **parameters: str) -> None:
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
        found: list[dict[str, Any]] = json.loads(policy)["Statement"]
        return found

    def forbid(self, app: str) -> None:
        for statement in self.statements(app):
            self.functions.remove_permission(FunctionName=f"wikibot-{app}", StatementId=statement["Sid"])

    def integration(self, uri: str, **parameters: Any) -> str:
        invocations = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{uri}/invocations"
        made = self.gateway.create_integration(
            **{
                "ApiId": self.api_id,
                "IntegrationType": "AWS_PROXY",
                "IntegrationMethod": "POST",
                "IntegrationUri": invocations,
                "PayloadFormatVersion": "2.0",
                **parameters,
            }
        )
        found: str = made["IntegrationId"]
        return found

    def lead(self, key: str, integration: str) -> None:
        self.gateway.update_route(
            ApiId=self.api_id, RouteId=self.routes[key], RouteKey=key, Target=f"integrations/{integration}"
        )

    def route(self, key: str, app: str, **parameters: Any) -> None:
        target = f"integrations/{self.integrations[app]}"
        made = self.gateway.create_route(ApiId=self.api_id, RouteKey=key, Target=target, **parameters)
        self.routes[key] = made["RouteId"]

    def remove(self, key: str) -> None:
        self.gateway.delete_route(ApiId=self.api_id, RouteId=self.routes.pop(key))

    def stage(self, name: str, **parameters: Any) -> None:
        self.gateway.create_stage(**{"ApiId": self.api_id, "StageName": name, "AutoDeploy": True, **parameters})

    def domain(self, name: str, stage: str = "$default", key: str = "") -> None:
        self.gateway.create_domain_name(DomainName=name)
        self.gateway.create_api_mapping(
            ApiId=self.api_id, DomainName=name, Stage=stage, **({"ApiMappingKey": key} if key else {})
        )
