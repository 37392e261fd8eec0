"""The CDK's construct: compiled by TypeScript, synthesised by the CDK, checked by cfn-lint."""

import json
from pathlib import Path

import pytest
from cfnlint.api import ManualArgs, lint
from helpers.node import PACKAGES, linked, node, why_not
from render.manifests import COMMITTED, HOSTILE
from routegen.manifest import Manifest
from routegen.render import Request, render

pytestmark = pytest.mark.skipif(bool(why_not()), reason=str(why_not()))

APP = """
import { App, Stack } from "aws-cdk-lib";
import { HttpApi } from "aws-cdk-lib/aws-apigatewayv2";
import { Function, type IFunction } from "aws-cdk-lib/aws-lambda";
import * as committed from "./committed.js";
import * as hostile from "./hostile.js";

const app = new App({ analyticsReporting: false, outdir: "out" });

function stackOf<Name extends string>(id: string, names: Name[]) {
  const stack = new Stack(app, id, { env: { account: "123456789012", region: "eu-central-1" } });
  const known = (name: Name): [Name, IFunction] =>
    [name, Function.fromFunctionArn(stack, name, `arn:aws:lambda:eu-central-1:123456789012:function:${name}`)];
  const functions = Object.fromEntries(names.map(known)) as Record<Name, IFunction>;
  return { stack, api: new HttpApi(stack, "Api"), functions };
}

const one = stackOf<committed.App>("committed", COMMITTED);
new committed.Routes(one.stack, "Routes", one);
const other = stackOf<hostile.App>("hostile", HOSTILE);
new hostile.Routes(other.stack, "Routes", other);
app.synth();
"""
MANIFESTS = {"committed": COMMITTED, "hostile": HOSTILE}


def apps(manifest: Manifest) -> dict[str, str]:
    keys = {key: route.app for route in manifest.routes for key in route.route_keys}
    return {**keys, "$default": manifest.default}


@pytest.fixture(scope="module")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both constructs in one application: the compiler takes seconds to read the CDK's types."""
    here = tmp_path_factory.mktemp("cdk")
    linked(here)
    (here / "package.json").write_text('{"type": "module"}')
    program = APP
    for name, manifest in MANIFESTS.items():
        (here / f"{name}.ts").write_text(render(Request("cdk", manifest)))
        program = program.replace(name.upper(), json.dumps(sorted(set(apps(manifest).values()))))
    (here / "app.ts").write_text(program)
    options = ["--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck", "app.ts"]
    node(str(PACKAGES / "typescript" / "bin" / "tsc"), *options, here=here)
    node("app.js", here=here)
    return here / "out"


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_construct_synthesises_each_route(name: str, synthesised: Path) -> None:
    expected = apps(MANIFESTS[name])
    text = (synthesised / f"{name}.template.json").read_text()
    assert lint(text, config=ManualArgs(regions=["eu-central-1"])) == []
    resources = json.loads(text)["Resources"]
    integrations = {
        name: one["Properties"]["IntegrationUri"].rpartition(":")[2]
        for name, one in resources.items()
        if one["Type"] == "AWS::ApiGatewayV2::Integration"
    }
    routes = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::ApiGatewayV2::Route"]
    behind = {one["RouteKey"]: integrations[one["Target"]["Fn::Join"][1][1]["Ref"]] for one in routes}
    assert behind == expected
    permissions = [one for one in resources.values() if one["Type"] == "AWS::Lambda::Permission"]
    assert len(permissions) == len(integrations) == len(set(expected.values()))
