"""The CDK's construct: compiled by TypeScript, synthesised by the CDK, checked by cfn-lint."""

import json
from pathlib import Path

import pytest
from cfnlint.api import ManualArgs, lint
from node import PACKAGES, linked, node, why_not
from render.manifests import COMMITTED, HOSTILE
from routegen.manifest import Manifest
from routegen.render import Request, render

pytestmark = pytest.mark.skipif(bool(why_not()), reason=str(why_not()))

APP = """
import { App, Stack } from "aws-cdk-lib";
import { HttpApi } from "aws-cdk-lib/aws-apigatewayv2";
import { Function, type IFunction } from "aws-cdk-lib/aws-lambda";
import { Routes, type App as Name } from "./routes.js";

const names: Name[] = NAMES;
const app = new App({ analyticsReporting: false, outdir: "out" });
const stack = new Stack(app, "Stack", { env: { account: "123456789012", region: "eu-central-1" } });
const api = new HttpApi(stack, "Api");
const known = (name: string): [string, IFunction] =>
  [name, Function.fromFunctionArn(stack, name, `arn:aws:lambda:eu-central-1:123456789012:function:${name}`)];
new Routes(stack, "Routes", { api, functions: Object.fromEntries(names.map(known)) as Record<Name, IFunction> });
app.synth();
"""


@pytest.mark.parametrize("manifest", [COMMITTED, HOSTILE], ids=["committed", "hostile"])
def test_the_construct_synthesises_each_route(manifest: Manifest, tmp_path: Path) -> None:
    apps = {key: route.app for route in manifest.routes for key in route.route_keys} | {"$default": manifest.default}
    linked(tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "routes.ts").write_text(render(Request("cdk", manifest)))
    (tmp_path / "app.ts").write_text(APP.replace("NAMES", json.dumps(sorted(set(apps.values())))))
    options = ["--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck", "app.ts"]
    node(str(PACKAGES / "typescript" / "bin" / "tsc"), *options, here=tmp_path)
    node("app.js", here=tmp_path)
    text = (tmp_path / "out" / "Stack.template.json").read_text()
    assert lint(text, config=ManualArgs(regions=["eu-central-1"])) == []
    resources = json.loads(text)["Resources"]
    integrations = {
        name: one["Properties"]["IntegrationUri"].rpartition(":")[2]
        for name, one in resources.items()
        if one["Type"] == "AWS::ApiGatewayV2::Integration"
    }
    routes = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::ApiGatewayV2::Route"]
    behind = {one["RouteKey"]: integrations[one["Target"]["Fn::Join"][1][1]["Ref"]] for one in routes}
    assert behind == apps
    permissions = [one for one in resources.values() if one["Type"] == "AWS::Lambda::Permission"]
    assert len(permissions) == len(integrations) == len(set(apps.values()))
