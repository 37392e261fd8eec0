"""What the program asks Pulumi's engine for."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from helpers.hostile import HOSTILE
from helpers.stack import Checkout


def entry(path: str, *methods: str) -> dict[str, Any]:
    keys = [f"{method} {path}" for method in methods]
    return {"path": path, "methods": sorted(methods), "app": "mcp", "role": "other", "route_keys": keys}


def test_the_routes_are_the_manifests_and_default(checkout: Checkout) -> None:
    stack = checkout.up()
    manifest = json.loads(checkout.manifest.read_text())
    wanted = [key for route in manifest["routes"] for key in route["route_keys"]]
    routes = {route["routeKey"]: route for route in stack.of("Route").values()}
    assert sorted(routes) == sorted([*wanted, "$default"])
    assert len(routes) == len(stack.of("Route"))
    assert routes.pop("$default")["target"] == "integrations/otterwiki-id"
    assert {route["target"] for route in routes.values()} == {"integrations/mcp-id"}
    assert {route["apiId"] for route in routes.values()} == {"api-id"}


def test_a_route_less_is_a_route_less_and_nothing_else(checkout: Checkout) -> None:
    before = checkout.up().everything()
    manifest = json.loads(checkout.manifest.read_text())
    gone = manifest["routes"].pop(1)
    checkout.write(manifest)
    after = checkout.up().everything()
    (removed,) = before.keys() - after.keys()
    assert before[removed]["routeKey"] == gone["route_keys"][0]
    assert after == {name: inputs for name, inputs in before.items() if name != removed}


def test_a_route_more_is_a_route_more_and_nothing_else(checkout: Checkout) -> None:
    before = checkout.up().everything()
    manifest = json.loads(checkout.manifest.read_text())
    manifest["routes"].insert(0, entry("/a/{id}/{rest+}", "GET"))
    checkout.write(manifest)
    after = checkout.up().everything()
    (added,) = after.keys() - before.keys()
    assert after.pop(added)["routeKey"] == "GET /a/{id}/{rest+}"
    assert after == before


def test_a_renamed_variable_updates_its_route_in_place(checkout: Checkout) -> None:
    """Another name would be a second route for the same requests, which API Gateway refuses."""
    manifest = json.loads(checkout.manifest.read_text())
    names = []
    for variable in ("id", "page_id"):
        checkout.write({**manifest, "routes": [*manifest["routes"], entry(f"/zz/{{{variable}}}", "GET")]})
        names.append(sorted(checkout.up().of("Route")))
    assert names[0] == names[1]


def test_routes_of_different_requests_have_different_names(checkout: Checkout) -> None:
    paths = ["/a", "/a/{x}", "/a/{x+}", "/a/b", "/a-b", "/a/{x}/b", "/a/b/{x}", "/%7B%7D", "/{x}"]
    routes = [entry(path, "GET", "POST") for path in sorted(paths)]
    checkout.write({"version": 1, "default": "otterwiki", "routes": routes})
    assert len(checkout.up().of("Route")) == 2 * len(paths) + 1


@pytest.mark.parametrize(("data", "says"), HOSTILE)
def test_a_file_that_is_no_manifest_stops_before_the_first_resource(
    checkout: Checkout, refused: Callable[..., str], data: bytes, says: str
) -> None:
    checkout.manifest.write_bytes(data)
    line = refused()
    assert line.startswith("the manifest: ")
    assert says in line


def test_a_missing_manifest(checkout: Checkout, refused: Callable[..., str]) -> None:
    checkout.manifest.unlink()
    assert "routegen extract -o" in refused()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"default": "blog"}, "no function for the default app 'blog'"),
        ({"routes": [{**entry("/x", "GET"), "app": "api"}]}, "routes[0] (/x): no function for the app 'api'"),
    ],
)
def test_an_app_without_a_function(
    checkout: Checkout, refused: Callable[..., str], change: dict[str, Any], says: str
) -> None:
    checkout.write({"version": 1, "default": "otterwiki", "routes": [], **change})
    assert says in refused()


def test_another_manifest_by_configuration(checkout: Checkout) -> None:
    (checkout.root / "other.json").write_text(json.dumps({"version": 1, "default": "otterwiki", "routes": []}))
    assert list(checkout.up(manifest="../other.json").of("Route")) == ["route $default"]


def test_packages_must_be_there_and_fit(checkout: Checkout, refused: Callable[..., str]) -> None:
    assert "build/mcp: built for python3.13, the stack wants python3.14; run: PYTHON=python3.14 " in refused(
        runtime="python3.14"
    )
    assert "built for x86_64, the stack wants arm64" in refused(architecture="arm64")
    (checkout.root / "build" / "otterwiki" / "lambda.json").write_text("{")
    assert "build/otterwiki/lambda.json: not JSON" in refused()
    (checkout.root / "build" / "otterwiki" / "lambda.json").unlink()
    assert refused() == (
        "build/otterwiki: there is no package; run: PYTHON=python3.13 bash app/otterwiki/build.sh --arch x86_64"
    )


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ("[]", "not an object"),
        ("null", "not an object"),
        ("[" * 100_000, "not JSON"),
        ('{"runtime": "python3.13", "architecture": "x86_64"}', "names no handler"),
        ('{"runtime": "python3.13", "architecture": "x86_64", "handler": ""}', "names no handler"),
        ('{"runtime": "python3.13", "architecture": "x86_64", "handler": 1}', "names no handler"),
    ],
)
def test_a_package_that_says_nothing_useful(
    checkout: Checkout, refused: Callable[..., str], facts: str, says: str
) -> None:
    (checkout.root / "build" / "mcp" / "lambda.json").write_text(facts)
    assert refused().startswith(f"build/mcp/lambda.json: {says}; run: ")


def test_a_package_that_can_not_be_read(checkout: Checkout, refused: Callable[..., str]) -> None:
    file = checkout.root / "build" / "mcp" / "lambda.json"
    file.unlink()
    file.mkdir()
    assert "build/mcp/lambda.json: can't be read: Is a directory" in refused()


def test_the_handler_is_the_packages(checkout: Checkout) -> None:
    facts = {"runtime": "python3.13", "architecture": "x86_64", "handler": "other.entry"}
    (checkout.root / "build" / "mcp" / "lambda.json").write_text(json.dumps(facts))
    assert checkout.up().of("Function")["mcp"]["handler"] == "other.entry"


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"authkit_domain": ""}, "wikibot:authkit_domain is not set; pulumi config set authkit_domain VALUE"),
        ({"client_id": " "}, "wikibot:client_id: is empty"),
        ({"authkit_domain": "http://x.authkit.app"}, "wikibot:authkit_domain: 'http://x.authkit.app' is not a domain"),
        ({"authkit_domain": "https://x.authkit.app/a"}, "is not a domain without a path"),
        ({"authkit_domain": "not a host"}, "is not a domain without a path"),
        ({"client_id": "sk_live"}, "wikibot:client_id: 'sk_live' is not a WorkOS client id"),
        ({"throttling_burst": "9" * 5000}, "is not a number from 1 to 5000"),
        ({"domain": "https://dev.wikibot.io"}, "wikibot:domain: 'https://dev.wikibot.io' is not a host name"),
        ({"domain": "dev.elsewhere.io"}, "dev.elsewhere.io does not lie in hosted_zone wikibot.io"),
        ({"domain": "notwikibot.io"}, "does not lie in hosted_zone"),
        ({"runtime": "python3.9"}, "wikibot:runtime: 'python3.9' is not python3.12"),
        ({"architecture": "mips"}, "'mips' is not one of x86_64, arm64"),
        ({"mcp_memory": "64"}, "wikibot:mcp_memory: '64' is not a number from 128 to 10240"),
        ({"throttling_rate": "many"}, "'many' is not a number"),
        ({"log_retention_days": "31"}, "CloudWatch keeps logs for one of 1, 3, 5"),
        ({"read_access": "ALL"}, "'ALL' is not one of ANONYMOUS"),
    ],
)
def test_a_configuration_that_is_wrong_names_the_key(
    refused: Callable[..., str], config: dict[str, str], says: str
) -> None:
    assert says in refused(**config)


def test_one_integration_and_one_permission_a_function(checkout: Checkout) -> None:
    stack = checkout.up()
    integrations, permissions = stack.of("Integration"), stack.of("Permission")
    assert set(integrations) == set(permissions) == {"mcp", "otterwiki"}
    for integration in integrations.values():
        assert integration["integrationType"] == "AWS_PROXY"
        assert integration["payloadFormatVersion"] == "2.0"
    assert "functions/mcp/" in integrations["mcp"]["integrationUri"]
    assert "functions/wiki/" in integrations["otterwiki"]["integrationUri"]
    for permission in permissions.values():
        assert permission["principal"] == "apigateway.amazonaws.com"
        assert permission["sourceArn"] == "arn:aws:execute-api:eu-central-1:111122223333:a1b2c3/*/*"
    assert {one["function"] for one in permissions.values()} == {"wikibot-dev-mcp", "wikibot-dev-wiki"}


def test_the_stage_deploys_logs_and_throttles(checkout: Checkout) -> None:
    stack = checkout.up(throttling_rate="7", throttling_burst="9", log_retention_days="14")
    (stage,) = stack.of("Stage").values()
    assert stage["name"] == "$default"
    assert stage["autoDeploy"] is True
    assert stage["defaultRouteSettings"] == {"throttlingBurstLimit": 9, "throttlingRateLimit": 7}
    assert stage["accessLogSettings"]["destinationArn"].endswith("/api")
    assert json.loads(stage["accessLogSettings"]["format"])["routeKey"] == "$context.routeKey"
    groups = stack.of("LogGroup")
    assert {group["name"] for group in groups.values()} == {
        "/aws/lambda/wikibot-dev-mcp", "/aws/lambda/wikibot-dev-wiki", "/aws/apigateway/wikibot-dev",
    }  # fmt: skip
    assert {group["retentionInDays"] for group in groups.values()} == {14}


def test_the_functions(checkout: Checkout) -> None:
    functions = checkout.up(site_name="Our wiki").of("Function")
    mcp, wiki = functions["mcp"], functions["wiki"]
    assert (mcp["runtime"], mcp["handler"]) == ("python3.13", "mcp_server.handler")
    assert mcp["environment"]["variables"] == {
        "AUTHKIT_DOMAIN": "https://example.authkit.app",
        "WORKOS_CLIENT_ID": "client_01EXAMPLE",
        "MCP_BASE_URL": "https://dev.wikibot.io",
        "WIKI_URL": "https://dev.wikibot.io",
    }
    assert "vpcConfig" not in mcp
    assert wiki["packageType"] == "Image"
    # Lambda takes a tag or a digest, not both.
    assert wiki["imageUri"] == f"111122223333.dkr.ecr.eu-central-1.amazonaws.com/wiki@sha256:{'0' * 64}"
    assert wiki["fileSystemConfig"]["localMountPath"] == wiki["environment"]["variables"]["WIKI_DATA_DIR"]
    assert wiki["environment"]["variables"] == {
        "WIKI_DATA_DIR": "/mnt/wiki",
        "SITE_NAME": "Our wiki",
        "SITE_URL": "https://dev.wikibot.io",
        "READ_ACCESS": "ANONYMOUS",
        "WRITE_ACCESS": "REGISTERED",
        "ATTACHMENT_ACCESS": "REGISTERED",
        "AUTO_APPROVAL": "False",
    }
    assert max(mcp["timeout"], wiki["timeout"]) < 30


def test_the_image_is_built_from_the_package_for_the_functions_platform(checkout: Checkout) -> None:
    stack = checkout.up()
    (image,) = stack.of("Image").values()
    assert (image["push"], image["buildOnPreview"]) == (True, False)
    assert image["context"]["location"] == "../build/otterwiki"
    assert image["dockerfile"]["location"] == "../app/otterwiki/Dockerfile"
    assert image["buildArgs"] == {"PYTHON_VERSION": "3.13"}
    assert image["platforms"] == ["linux/amd64"]
    assert stack.of("Repository")["wiki"]["imageScanningConfiguration"] == {"scanOnPush": True}
    (rule,) = json.loads(stack.of("LifecyclePolicy")["wiki"]["policy"])["rules"]
    assert (rule["selection"]["countNumber"], rule["action"]) == (5, {"type": "expire"})


def test_no_resource_knows_where_the_checkout_is(checkout: Checkout) -> None:
    assert str(checkout.root) not in repr(checkout.up().resources)


def test_each_role_may_do_what_its_function_does(checkout: Checkout) -> None:
    stack = checkout.up()
    allowed = {
        name: {
            (action, statement["Resource"])
            for statement in json.loads(policy["policy"])["Statement"]
            if statement["Effect"] == "Allow"
            for action in statement["Action"]
        }
        for name, policy in stack.of("RolePolicy").items()
    }
    assert {action for action, _ in allowed["mcp"]} == {"logs:CreateLogStream", "logs:PutLogEvents"}
    for name, actions in allowed.items():
        assert not [action for action, _ in actions if "*" in action]
        everywhere = {action.partition(":")[0] for action, resource in actions if resource == "*"}
        assert everywhere == ({"ec2"} if name == "wiki" else set())
        logs = {resource for action, resource in actions if action.startswith("logs:")}
        assert logs == {f"arn:aws:cloudwatch:eu-central-1:111122223333:loggroup:loggroup/{name}:*"}
    mounts = {action for action, resource in allowed["wiki"] if resource.endswith("filesystem:filesystem/wiki")}
    assert mounts == {"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"}


def test_the_wiki_reaches_its_data_through_its_access_point_only(checkout: Checkout) -> None:
    stack = checkout.up()
    statements = json.loads(stack.of("RolePolicy")["wiki"]["policy"])["Statement"]
    (mount,) = [one for one in statements if one["Action"][0].startswith("elasticfilesystem:")]
    arn = "arn:aws:efs:eu-central-1:111122223333:accesspoint:accesspoint/wiki"
    assert mount["Condition"] == {"StringEquals": {"elasticfilesystem:AccessPointArn": arn}}
    point = stack.of("AccessPoint")["wiki"]
    assert point["rootDirectory"]["creationInfo"] == {"ownerUid": 1000, "ownerGid": 1000, "permissions": "0750"}


def test_the_functions_own_code_may_not_touch_the_network(checkout: Checkout) -> None:
    statements = json.loads(checkout.up().of("RolePolicy")["wiki"]["policy"])["Statement"]
    (denied,) = [statement for statement in statements if statement["Effect"] == "Deny"]
    function = "arn:aws:lambda:eu-central-1:111122223333:function:wikibot-dev-wiki"
    assert denied["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": function}}


def test_only_nfs_between_function_and_storage(checkout: Checkout) -> None:
    stack = checkout.up()
    (out,) = stack.of("SecurityGroupEgressRule").values()
    (into,) = stack.of("SecurityGroupIngressRule").values()
    assert (out["securityGroupId"], out["referencedSecurityGroupId"]) == ("wiki-function-id", "wiki-storage-id")
    assert (into["securityGroupId"], into["referencedSecurityGroupId"]) == ("wiki-storage-id", "wiki-function-id")
    for rule in (out, into):
        assert (rule["ipProtocol"], rule["fromPort"], rule["toPort"]) == ("tcp", 2049, 2049)
    assert not [one for one in stack.resources if "Gateway" in one.type.rpartition(":")[2]]
    assert stack.of("FileSystem")["wiki"]["encrypted"] is True
    assert stack.of("BackupPolicy")["wiki"]["backupPolicy"] == {"status": "ENABLED"}


def test_the_domain_leads_to_the_stage(checkout: Checkout) -> None:
    stack = checkout.up()
    (mapping,) = stack.of("ApiMapping").values()
    assert (mapping["apiId"], mapping["domainName"], mapping["stage"]) == ("api-id", "dev.wikibot.io", "$default")
    (domain,) = stack.of("DomainName").values()
    assert domain["domainNameConfiguration"]["securityPolicy"] == "TLS_1_2"
    assert stack.of("Certificate")["domain"]["validationMethod"] == "DNS"
    records = stack.of("Record")
    assert {(one["type"], one["name"]) for one in records.values()} == {
        ("A", "dev.wikibot.io"), ("AAAA", "dev.wikibot.io"), ("CNAME", "_x.dev.wikibot.io"),
    }  # fmt: skip
    assert stack.of("Api")["api"]["disableExecuteApiEndpoint"] is True
