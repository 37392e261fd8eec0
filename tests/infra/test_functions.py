"""The two functions: their settings, versions and permissions, and the image of the wiki."""

import json

from helpers.pulumi_program import DEPLOYED_WIKI, REQUIRED, Checkout, RecordedStack


def test_each_function_has_one_integration_and_one_permission(stack: RecordedStack) -> None:
    integrations, permissions = stack.of("Integration"), stack.of("Permission")
    assert set(integrations) == set(permissions) == {"route mcp", "route otterwiki"}
    for integration in integrations.values():
        assert integration["integrationType"] == "AWS_PROXY"
        assert integration["payloadFormatVersion"] == "2.0"
    assert "functions/mcp/" in integrations["route mcp"]["integrationUri"]
    assert "functions/wiki/" in integrations["route otterwiki"]["integrationUri"]
    for permission in permissions.values():
        assert permission["principal"] == "apigateway.amazonaws.com"
        assert permission["sourceArn"] == "arn:aws:execute-api:eu-central-1:111122223333:a1b2c3/*/*"
    assert {permission["function"] for permission in permissions.values()} == {"wikibot-dev-mcp", "wikibot-dev-wiki"}


def test_the_configuration_of_the_functions(checkout: Checkout) -> None:
    stack = checkout.up(site_name="Our wiki")
    mcp, wiki = (stack.of("Function")[name] for name in ("mcp", "wiki"))
    assert stack.secrets == {("aws:lambda/function:Function", "environment")}
    assert (mcp["runtime"], mcp["handler"]) == ("python3.13", "mcp_server.handler")
    assert mcp["environment"]["variables"] == {
        "AUTHKIT_DOMAIN": "https://example.authkit.app",
        "WORKOS_CLIENT_ID": "client_01EXAMPLE",
        "MCP_BASE_URL": "https://dev.wikibot.io",
        "WIKI_URL": "https://dev.wikibot.io",
        "WIKI_READER_TOKEN": REQUIRED["reader_token"],
    }
    assert "vpcConfig" not in mcp
    assert wiki["packageType"] == "Image"
    # Lambda accepts a tag or a digest, not both.
    assert wiki["imageUri"] == f"111122223333.dkr.ecr.eu-central-1.amazonaws.com/wiki@sha256:{'0' * 64}"
    assert wiki["fileSystemConfig"]["localMountPath"] == wiki["environment"]["variables"]["WIKI_DATA_DIR"]
    assert wiki["environment"]["variables"] == {**DEPLOYED_WIKI, "WIKI_DATA_DIR": "/mnt/wiki", "SITE_NAME": "Our wiki"}
    assert max(mcp["timeout"], wiki["timeout"]) < 30


def test_api_gateway_invokes_the_alias_of_the_newest_version(stack: RecordedStack) -> None:
    assert stack.of("Alias") == {
        name: {"name": "live", "functionName": f"wikibot-dev-{name}", "functionVersion": "7"}
        for name in ("mcp", "wiki")
    }
    assert {function["publish"] for function in stack.of("Function").values()} == {True}
    assert {permission["qualifier"] for permission in stack.of("Permission").values()} == {"live"}


def test_the_configuration_can_hold_a_function_at_an_earlier_version(checkout: Checkout) -> None:
    aliases = checkout.up(mcp_version="5").of("Alias")
    assert {name: alias["functionVersion"] for name, alias in aliases.items()} == {"mcp": "5", "wiki": "7"}


def test_the_mcp_server_starts_from_a_snapshot_unless_it_is_turned_off(
    checkout: Checkout, stack: RecordedStack
) -> None:
    functions = stack.of("Function")
    assert functions["mcp"]["snapStart"] == {"applyOn": "PublishedVersions"}
    assert "snapStart" not in functions["wiki"]  # Lambda has no snapshots of images
    assert "snapStart" not in checkout.up(snap_start="false").of("Function")["mcp"]


def test_concurrency_is_reserved_only_if_it_is_configured(checkout: Checkout, stack: RecordedStack) -> None:
    reserved = "reservedConcurrentExecutions"
    assert not any(reserved in function for function in stack.of("Function").values())
    functions = checkout.up(mcp_concurrency="10", wiki_concurrency="5").of("Function")
    assert {name: function[reserved] for name, function in functions.items()} == {"mcp": 10, "wiki": 5}


def test_the_image_is_built_from_the_package_for_the_platform_of_the_function(stack: RecordedStack) -> None:
    (image,) = stack.of("Image").values()
    assert (image["push"], image["pull"], image["buildOnPreview"]) == (True, True, False)
    assert image["context"]["location"] == "../build/otterwiki"
    assert image["dockerfile"]["location"] == "../app/otterwiki/Dockerfile"
    assert "buildArgs" not in image, "the Dockerfile names the base image with its digest"
    assert image["platforms"] == ["linux/amd64"]
    assert stack.of("Repository")["wiki"]["imageScanningConfiguration"] == {"scanOnPush": True}
    (rule,) = json.loads(stack.of("LifecyclePolicy")["wiki"]["policy"])["rules"]
    assert (rule["selection"]["countNumber"], rule["action"]) == (5, {"type": "expire"})
