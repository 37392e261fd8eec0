"""The examples of docs/any-tool.md, unchanged and run."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest
from helpers.node import link_packages, reason_not_to_run, run_node
from helpers.support import PROJECT
from render.manifests import COMMITTED
from routegen.manifest import dump_manifest

TEXT = (PROJECT / "docs" / "any-tool.md").read_text()
KEYS = {key: route.app for route in COMMITTED.routes for key in route.route_keys} | {"$default": COMMITTED.default}

needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
needs_node = pytest.mark.skipif(bool(reason_not_to_run()), reason=str(reason_not_to_run()))


def examples(language: str) -> list[str]:
    """The code blocks of the page in a language."""
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def run_shell(program: str, folder: Path = PROJECT) -> str:
    return subprocess.run(["bash", "-ec", program], cwd=folder, capture_output=True, text=True, check=True).stdout


@needs_jq
def test_jq_lists_every_route_key_with_its_app() -> None:
    lines = run_shell(examples("sh")[0]).splitlines()
    assert dict(line.split("\t") for line in lines) == KEYS


@needs_jq
def test_jq_lists_the_paths_that_the_sign_in_needs() -> None:
    assert run_shell(examples("sh")[1]).splitlines() == [
        "authorization-server-metadata  /.well-known/oauth-authorization-server",
        "protected-resource-metadata  /.well-known/oauth-protected-resource/mcp",
        "mcp-endpoint  /mcp",
    ]


@needs_jq
def test_jq_lists_the_reserved_paths() -> None:
    reserved = [f"{route.path}  {route.reserved}" for route in COMMITTED.routes if route.reserved]
    assert run_shell(examples("sh")[2]).splitlines() == reserved


@needs_jq
@pytest.mark.parametrize("number", [0, 4])
def test_without_a_default_app_jq_leaves_it_out(number: int, tmp_path: Path) -> None:
    (tmp_path / "generated").mkdir()
    manifest = COMMITTED.model_copy(update={"default": None})
    (tmp_path / "generated" / "routes.json").write_bytes(dump_manifest(manifest))
    text = run_shell(examples("sh")[number], folder=tmp_path)
    assert "/mcp" in text
    assert "null" not in text
    assert "otterwiki" not in text
    assert "$default" not in text


@needs_jq
def test_jq_tells_whether_a_path_has_a_route() -> None:
    assert run_shell(examples("sh")[3]) == "true\n"
    with pytest.raises(subprocess.CalledProcessError) as error:
        run_shell(examples("sh")[3].replace("/mcp", "/Home"))
    assert (error.value.returncode, error.value.stdout) == (1, "false\n")


def test_the_terraform_example_is_hcl_and_has_all_its_parts() -> None:
    (text,) = examples("hcl")
    kinds = [kind for resource in hcl2.loads(text)["resource"] for kind in resource]
    assert [kind.strip('"') for kind in kinds] == [
        "aws_apigatewayv2_route",
        "aws_apigatewayv2_integration",
        "aws_lambda_permission",
    ]


@needs_node
def test_the_terraform_example_is_formatted() -> None:
    (text,) = examples("hcl")
    program = "import {format} from '@cdktf/hcl-tools'; import {readFileSync} from 'node:fs';"
    program += "process.stdout.write(await format(readFileSync(0, 'utf8')));"
    assert run_node("--input-type=module", "--eval", program, text=text) == text


@needs_node
def test_the_cdk_example_synthesises_every_route(tmp_path: Path) -> None:
    (text,) = examples("js")
    (link_packages(tmp_path) / "app.mjs").write_text(text.replace("new App()", 'new App({ outdir: "out" })'))
    shutil.copytree(PROJECT / "generated", tmp_path / "generated")
    run_node("app.mjs", folder=tmp_path)
    resources = json.loads((tmp_path / "out" / "Gateway.template.json").read_text())["Resources"].values()
    routes = {
        resource["Properties"]["RouteKey"] for resource in resources if resource["Type"] == "AWS::ApiGatewayV2::Route"
    }
    assert routes == set(KEYS)


@needs_jq
@needs_node
def test_the_kubernetes_example_passes_the_schema_of_http_route() -> None:
    text = run_shell(examples("sh")[4])
    program = """
        import { readFileSync } from "node:fs";
        import { HTTPRoute } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute";
        new HTTPRoute(JSON.parse(readFileSync(0, "utf8"))).validate();
    """
    run_node("--input-type=module", "--eval", program, text=text)
    with pytest.raises(AssertionError, match="must be equal to one of the allowed values"):
        run_node("--input-type=module", "--eval", program, text=text.replace("Exact", "Exakt"))
    rules: list[dict[str, Any]] = json.loads(text)["spec"]["rules"]
    documents = [
        "/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/openid-configuration", "/.well-known/openid-configuration/mcp",
    ]  # fmt: skip
    assert [(rule["backendRefs"][0]["name"], rule["matches"]) for rule in rules] == [
        (
            "mcp",
            [
                *({"path": {"type": "Exact", "value": path}} for path in [*documents, "/mcp"]),
                {"path": {"type": "PathPrefix", "value": "/mcp"}},
            ],
        ),
        ("otterwiki", [{"path": {"type": "PathPrefix", "value": "/"}}]),
    ]
