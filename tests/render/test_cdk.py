"""The target cdk: the construct is compiled by TypeScript, synthesised by the CDK and checked by cfn-lint."""

import json
from pathlib import Path

import pytest
from helpers.node import PACKAGES, link_packages, reason_not_to_run, run_node
from render.manifests import MANIFESTS, apps_by_key
from routegen.render import RenderRequest, render

pytestmark = pytest.mark.skipif(bool(reason_not_to_run()), reason=str(reason_not_to_run()))

APP = """
import { App, Stack } from "aws-cdk-lib";
import { HttpApi } from "aws-cdk-lib/aws-apigatewayv2";
import { Function, type IFunction } from "aws-cdk-lib/aws-lambda";
import * as committed from "./committed.js";
import * as hostile from "./hostile.js";
import * as withoutDefault from "./without-default.js";

const app = new App({ analyticsReporting: false, outdir: "out" });

function stackOf<Name extends string>(id: string, names: Name[]) {
  const stack = new Stack(app, id, { env: { account: "123456789012", region: "eu-central-1" } });
  const importFunction = (name: Name): [Name, IFunction] =>
    [name, Function.fromFunctionArn(stack, `of ${name}`, `arn:aws:lambda:eu-central-1:123456789012:function:${name}`)];
  const functions = Object.fromEntries(names.map(importFunction)) as Record<Name, IFunction>;
  return { stack, api: new HttpApi(stack, "Api"), functions };
}

const first = stackOf<committed.App>("committed", COMMITTED);
new committed.Routes(first.stack, "Routes", first);
const second = stackOf<hostile.App>("hostile", HOSTILE);
new hostile.Routes(second.stack, "Routes", second);
const third = stackOf<withoutDefault.App>("without-default", WITHOUT_DEFAULT);
new withoutDefault.Routes(third.stack, "Routes", third);
app.synth();
"""


@pytest.fixture(scope="module")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthesise both constructs in one application, because the compiler needs seconds to read the CDK's types."""
    folder = tmp_path_factory.mktemp("cdk")
    link_packages(folder)
    (folder / "package.json").write_text('{"type": "module"}')
    program = APP
    for name, manifest in MANIFESTS.items():
        (folder / f"{name}.ts").write_text(render(RenderRequest("cdk", manifest)))
        program = program.replace(
            name.upper().replace("-", "_"), json.dumps(sorted(set(apps_by_key(manifest).values())))
        )
    (folder / "app.ts").write_text(program)
    options = ["--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck", "app.ts"]
    run_node(str(PACKAGES / "typescript" / "bin" / "tsc"), *options, folder=folder)
    run_node("app.js", folder=folder)
    return folder / "out"


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_construct_synthesises_each_route(name: str, synthesised: Path) -> None:
    from cfnlint.api import ManualArgs, lint  # its import takes a second

    expected = apps_by_key(MANIFESTS[name])
    text = (synthesised / f"{name}.template.json").read_text()
    assert lint(text, config=ManualArgs(regions=["eu-central-1"])) == []
    resources = json.loads(text)["Resources"]
    integrations = {
        name: resource["Properties"]["IntegrationUri"].rpartition(":")[2]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::ApiGatewayV2::Integration"
    }
    routes = [item["Properties"] for item in resources.values() if item["Type"] == "AWS::ApiGatewayV2::Route"]
    apps = {route["RouteKey"]: integrations[route["Target"]["Fn::Join"][1][1]["Ref"]] for route in routes}
    assert apps == expected
    permissions = [item for item in resources.values() if item["Type"] == "AWS::Lambda::Permission"]
    assert len(permissions) == len(integrations) == len(set(expected.values()))
