"""How the routes of the manifest get into the tool that a repository uses for its infrastructure."""

from collections.abc import Callable, Sequence
from pathlib import Path

from routegen.render.template_data import template_apps

_MARKERS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("pulumi", ("Pulumi.yaml", "Pulumi.yml"), "python"),
    ("terraform", ("*.tf",), ""),
    ("sam", ("template.yaml", "template.yml"), "AWS::Serverless"),
    ("cdk", ("cdk.json",), ""),
    ("serverless", ("serverless.yml", "serverless.yaml", "serverless.ts"), ""),
)
"""Each tool with its files, and a text that one of them contains."""


def find_gateway_tools(folder: Path) -> list[str]:
    """Return the tools for infrastructure that have a file in the folder or in a folder below it."""
    return [
        tool
        for tool, patterns, text in _MARKERS
        if any(
            text in file.read_text("utf-8", "replace")
            for pattern in patterns
            for prefix in ("", "[!.]*/", "[!.]*/[!.]*/")
            for file in folder.glob(prefix + pattern)
            if "node_modules" not in file.parts and file.is_file()
        )
    ]


def gateway_snippet(tool: str, manifest: str, apps: Sequence[str]) -> str:
    """Return the commands and the lines that give a gateway the routes.

    Args:
        tool: a tool that `find_gateway_tools` finds.
        manifest: the manifest's file.
        apps: the names of the apps, with the default app.
    """
    return _SNIPPETS[tool](manifest, apps)


def _lines(apps: Sequence[str], line: str) -> str:
    return "".join(line.format(app=app.name, id=app.logical_id) + "\n" for app in template_apps(sorted(apps)))


def _pulumi(_manifest: str, apps: Sequence[str]) -> str:
    integrations = ", ".join(f'"{app}": {app.replace("-", "_")}_function' for app in apps)
    return (
        "from routegen.pulumi import ManifestRoutes\n\n"
        f'ManifestRoutes("routes", api_id=api.id, integrations={{{integrations}}})\n'
    )


def _terraform(manifest: str, apps: Sequence[str]) -> str:
    return (
        f"# routegen render terraform --manifest {manifest} -o routes/main.tf\n"
        'module "routes" {\n'
        '  source            = "./routes"\n'
        "  api_id            = aws_apigatewayv2_api.this.id\n"
        "  api_execution_arn = aws_apigatewayv2_api.this.execution_arn\n"
        "  functions = {\n"
        + _lines(apps, '    "{app}" = {{ function_name = aws_lambda_function.{app}.function_name, '
                 "invoke_arn = aws_lambda_function.{app}.invoke_arn }}")
        + "  }\n}\n"
    )  # fmt: skip


def _sam(manifest: str, apps: Sequence[str]) -> str:
    return (
        f"# routegen render sam --manifest {manifest} -o routes.yaml\n"
        "Routes:\n  Type: AWS::Serverless::Application\n  Properties:\n    Location: routes.yaml\n    Parameters:\n"
        + _lines(apps, "      {id}FunctionArn: !GetAtt {id}Function.Arn")
    )


def _cdk(manifest: str, apps: Sequence[str]) -> str:
    functions = ", ".join(f'"{app}": {app.replace("-", "_")}Function' for app in apps)
    return (
        f"// routegen render cdk --manifest {manifest} -o lib/routes.ts\n"
        'import { Routes } from "./routes";\n\n'
        f'new Routes(this, "Routes", {{ api, functions: {{ {functions} }} }});\n'
    )


def _serverless(manifest: str, apps: Sequence[str]) -> str:
    return (
        f"routegen render cloudformation --manifest {manifest} -o routes.yaml\n"
        "aws cloudformation deploy --stack-name routes --template-file routes.yaml --parameter-overrides \\\n"
        "  ApiId=API_ID"
        + "".join(
            f" \\\n  {app.logical_id}FunctionArn=ARN_OF_{app.identifier.upper()}" for app in template_apps(sorted(apps))
        )
        + "\n"
    )


_SNIPPETS: dict[str, Callable[[str, Sequence[str]], str]] = {
    "pulumi": _pulumi,
    "terraform": _terraform,
    "sam": _sam,
    "cdk": _cdk,
    "serverless": _serverless,
}
