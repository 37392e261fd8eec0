"""The resources that the Pulumi program registers, and the errors that stop it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from helpers.hostile import HOSTILE
from helpers.pulumi_program import DIGEST, Checkout, RecordedStack
from helpers.support import PROJECT


def manifest_route(path: str, *methods: str) -> dict[str, Any]:
    keys = [f"{method} {path}" for method in methods]
    return {"path": path, "methods": sorted(methods), "app": "mcp", "role": "other", "route_keys": keys}


def test_the_routes_are_those_of_the_manifest_and_default(stack: RecordedStack) -> None:
    manifest = json.loads((PROJECT / "generated" / "routes.json").read_text())
    expected = [key for route in manifest["routes"] for key in route["route_keys"]]
    routes = {route["routeKey"]: route for route in stack.of("Route").values()}
    assert sorted(routes) == sorted([*expected, "$default"])
    assert len(routes) == len(stack.of("Route"))
    assert routes.pop("$default")["target"] == "integrations/route otterwiki-id"
    assert {route["target"] for route in routes.values()} == {"integrations/route mcp-id"}
    assert {route["apiId"] for route in routes.values()} == {"api-id"}


def test_removing_a_route_changes_no_other_resource(checkout: Checkout, stack: RecordedStack) -> None:
    before = stack.everything()
    manifest = json.loads(checkout.manifest.read_text())
    deleted = manifest["routes"].pop(1)
    checkout.write(manifest)
    after = checkout.up().everything()
    (removed,) = before.keys() - after.keys()
    assert before[removed]["routeKey"] == deleted["route_keys"][0]
    assert after == {name: inputs for name, inputs in before.items() if name != removed}


def test_adding_a_route_changes_no_other_resource(checkout: Checkout, stack: RecordedStack) -> None:
    before = stack.everything()
    manifest = json.loads(checkout.manifest.read_text())
    manifest["routes"].insert(0, manifest_route("/a/{id}/{rest+}", "GET"))
    checkout.write(manifest)
    after = checkout.up().everything()
    (added,) = after.keys() - before.keys()
    assert after.pop(added)["routeKey"] == "GET /a/{id}/{rest+}"
    assert after == before


def test_a_renamed_variable_updates_its_route_in_place(checkout: Checkout) -> None:
    """A resource with another name would be a second route for the same requests, which API Gateway refuses."""
    manifest = json.loads(checkout.manifest.read_text())
    names = []
    for variable in ("id", "page_id"):
        checkout.write({**manifest, "routes": [*manifest["routes"], manifest_route(f"/zz/{{{variable}}}", "GET")]})
        names.append(sorted(checkout.up().of("Route")))
    assert names[0] == names[1]


def test_different_route_keys_have_different_resource_names(checkout: Checkout) -> None:
    paths = ["/a", "/a/{x}", "/a/{x+}", "/a/b", "/a-b", "/a/{x}/b", "/a/b/{x}", "/%7B%7D", "/{x}"]
    routes = [manifest_route(path, "GET", "POST") for path in sorted(paths)]
    checkout.write({"version": 1, "default": "otterwiki", "routes": routes})
    assert len(checkout.up().of("Route")) == 2 * len(paths) + 1


@pytest.mark.parametrize(("data", "message"), HOSTILE)
def test_an_invalid_manifest_is_an_error(
    checkout: Checkout, error_line: Callable[..., str], data: bytes, message: str
) -> None:
    checkout.manifest.write_bytes(data)
    line = error_line()
    assert line.startswith("the manifest: ")
    assert message in line


def test_a_missing_manifest_is_an_error(checkout: Checkout, error_line: Callable[..., str]) -> None:
    checkout.manifest.unlink()
    assert "routegen extract -o" in error_line()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"default": None, "routes": [manifest_route("/x", "GET")]},
            'it has no default app, and infra/ builds one; write default = "otterwiki" in [tool.routegen]',
        ),
        ({"default": "blog"}, "infra/ has no function for the default app 'blog'; it must be 'otterwiki'"),
        (
            {"routes": [{**manifest_route("/x", "GET"), "app": "api"}]},
            "routes[0] (/x): infra/ has no function for the app 'api'; it must be 'mcp'",
        ),
    ],
)
def test_an_app_without_a_function_is_an_error(
    checkout: Checkout, error_line: Callable[..., str], change: dict[str, Any], message: str
) -> None:
    checkout.write({"version": 1, "default": "otterwiki", "routes": [], **change})
    assert message in error_line()


def test_the_configuration_can_name_another_manifest(checkout: Checkout) -> None:
    (checkout.root / "other.json").write_text(json.dumps({"version": 1, "default": "otterwiki", "routes": []}))
    assert list(checkout.up(manifest="../other.json").of("Route")) == ["route $default"]


def test_a_package_for_another_runtime_is_an_error(checkout: Checkout, error_line: Callable[..., str]) -> None:
    assert "build/mcp: built for python3.13, but the stack needs python3.14; run: PYTHON=python3.14 " in error_line(
        runtime="python3.14"
    )
    assert "built for x86_64, but the stack needs arm64" in error_line(architecture="arm64")
    (checkout.root / "build" / "otterwiki" / "lambda.json").write_text("{")
    assert "build/otterwiki/lambda.json: Invalid JSON" in error_line()


def test_a_missing_package_is_an_error(checkout: Checkout, error_line: Callable[..., str]) -> None:
    (checkout.root / "build" / "otterwiki" / "lambda.json").unlink()
    assert error_line() == (
        "build/otterwiki: there is no package; run: PYTHON=python3.13 bash app/otterwiki/build.sh --arch x86_64"
    )


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ("[]", "Input should be an object"),
        ("null", "Input should be an object"),
        pytest.param("[" * 100_000, "Invalid JSON: ", id="deeply nested"),
        ("{}", "runtime: Field required"),
        ('{"runtime": "python3.13", "architecture": "x86_64"}', "handler: Field required"),
        (
            '{"runtime": "python3.13", "architecture": "x86_64", "handler": ""}',
            "handler: String should have at least 1 character",
        ),
        (
            '{"runtime": "python3.13", "architecture": "x86_64", "handler": 1}',
            "handler: Input should be a valid string",
        ),
    ],
)
def test_an_invalid_lambda_json_is_an_error(
    checkout: Checkout, error_line: Callable[..., str], facts: str, message: str
) -> None:
    (checkout.root / "build" / "mcp" / "lambda.json").write_text(facts)
    line = error_line()
    assert line.startswith(f"build/mcp/lambda.json: {message}")
    assert "; run: PYTHON=python3.13 bash app/poc/mcp_package/build.sh" in line


@pytest.mark.parametrize(
    ("base_image", "message"),
    [
        ("python:3.13", "and python:3.13 has no digest, so it can change; "),
        ("python:3.13@sha256:12", "and python:3.13@sha256:12 is another one; "),
        (f"python:3.12@{DIGEST}", "and python:3.12 is another one; "),
        ("", "and ARG BASE_IMAGE is another one; "),
    ],
)
def test_the_base_image_of_the_wiki_must_have_a_digest(
    checkout: Checkout, error_line: Callable[..., str], base_image: str, message: str
) -> None:
    (checkout.root / "app" / "otterwiki" / "Dockerfile").write_text(f"ARG BASE_IMAGE={base_image}\nFROM $BASE_IMAGE\n")
    line = error_line()
    assert "app/otterwiki/Dockerfile: the base image must be that of Python 3.13 with a digest, " in line
    assert line.endswith(f"{message}run: make pin-base-image PYTHON_VERSION=3.13")


def test_an_unreadable_lambda_json_is_an_error(checkout: Checkout, error_line: Callable[..., str]) -> None:
    file = checkout.root / "build" / "mcp" / "lambda.json"
    file.unlink()
    file.mkdir()
    assert "build/mcp/lambda.json: cannot be read: Is a directory" in error_line()


def test_the_package_names_the_handler(checkout: Checkout) -> None:
    facts = {"runtime": "python3.13", "architecture": "x86_64", "handler": "other.entry"}
    (checkout.root / "build" / "mcp" / "lambda.json").write_text(json.dumps(facts))
    assert checkout.up().of("Function")["mcp"]["handler"] == "other.entry"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"authkit_domain": ""},
            "wikibot:authkit_domain is not set; it must be a domain without a path, such as https://your-app.authkit.app",
        ),
        (
            {"client_id": " "},
            "' ' is not a WorkOS client id, such as client_01ABCDEF (run: pulumi config set client_id VALUE)",
        ),
        ({"client_id": "client_1\n"}, "is not a WorkOS client id"),
        ({"site_name": " "}, "wikibot:site_name: ' ' is not a name that people can read"),
        ({"manifest": " "}, "wikibot:manifest: ' ' is not a path relative to infra/"),
        ({"authkit_domain": "http://x.authkit.app"}, "wikibot:authkit_domain: 'http://x.authkit.app' is not a domain"),
        ({"authkit_domain": "https://x.authkit.app/a"}, "is not a domain without a path"),
        ({"authkit_domain": "not a host"}, "is not a domain without a path"),
        ({"client_id": "sk_live"}, "wikibot:client_id: 'sk_live' is not a WorkOS client id"),
        pytest.param({"throttling_burst": "9" * 5000}, "is not a number of requests from 1 to 5000", id="5000 digits"),
        ({"domain": "https://dev.wikibot.io"}, "wikibot:domain: 'https://dev.wikibot.io' is not a host name"),
        ({"domain": "dev.elsewhere.io"}, "wikibot:domain: dev.elsewhere.io is not inside the hosted_zone wikibot.io"),
        ({"domain": "notwikibot.io"}, "is not inside the hosted_zone"),
        ({"runtime": "python3.9"}, "wikibot:runtime: 'python3.9' is not python3.12, python3.13 or python3.14"),
        ({"architecture": "mips"}, "wikibot:architecture: 'mips' is not x86_64 or arm64"),
        ({"mcp_version": "0"}, "wikibot:mcp_version: '0' is not the number of a published version"),
        ({"snap_start": "maybe"}, "wikibot:snap_start: 'maybe' is not true or false"),
        ({"file_system_id": "wiki"}, "wikibot:file_system_id: 'wiki' is not the id of an EFS file system, such as fs-"),
        (
            {"availability_zones": "eu-central-1a"},
            "wikibot:availability_zones: 'eu-central-1a' is not two different availability zones, such as ",
        ),
        ({"availability_zones": "eu-central-1a,eu-central-1a"}, "is not two different availability zones"),
        ({"mcp_memory": "64"}, "wikibot:mcp_memory: '64' is not a number of MB from 128 to 10240"),
        ({"throttling_rate": "many"}, "'many' is not a number of requests per second"),
        ({"log_retention_days": "31"}, "'31' is not a number of days that CloudWatch Logs accepts: 1, 3, 5"),
        ({"read_access": "ALL"}, "wikibot:read_access: 'ALL' is not ANONYMOUS, REGISTERED or APPROVED"),
        ({"read_access": ""}, "wikibot:read_access is not set; it must be ANONYMOUS, REGISTERED or APPROVED"),
        ({"admin_email": "admin"}, "wikibot:admin_email: 'admin' is not an e-mail address"),
        (
            {"admin_password_hash": "my password"},
            "wikibot:admin_password_hash: the value is not a hash of werkzeug.security.generate_password_hash",
        ),
        ({"reader_token": ""}, "wikibot:reader_token is not set; the MCP server needs it to read a wiki that is not"),
        ({"reader_token": "short"}, "wikibot:reader_token: the value is not a random text of at least 32"),
    ],
)
def test_a_wrong_configuration_value_is_an_error_that_names_the_key(
    error_line: Callable[..., str], config: dict[str, str], message: str
) -> None:
    assert message in error_line(**config)


def test_all_wrong_values_are_named_at_once(error_line: Callable[..., str]) -> None:
    line = error_line(domain="x", mcp_memory="64", read_access="ALL")
    assert all(f"wikibot:{key}: " in line for key in ("domain", "mcp_memory", "read_access"))


def test_the_stage_deploys_automatically_logs_and_throttles(checkout: Checkout) -> None:
    stack = checkout.up(throttling_rate="7", throttling_burst="9", log_retention_days="14")
    (stage,) = stack.of("Stage").values()
    assert stage["name"] == "$default"
    assert stage["autoDeploy"] is True
    assert stage["defaultRouteSettings"] == {"throttlingBurstLimit": 9, "throttlingRateLimit": 7}
    assert stage["accessLogSettings"]["destinationArn"].endswith("/api")
    access_log = json.loads(stage["accessLogSettings"]["format"])
    assert access_log["routeKey"] == "$context.routeKey"
    # A path of the wiki can contain the token of a confirmation or of a password reset.
    assert not {"$context.path", "$context.extendedRequestId.path"}.intersection(access_log.values())
    groups = stack.of("LogGroup")
    assert {group["name"] for group in groups.values()} == {
        "/aws/lambda/wikibot-dev-mcp", "/aws/lambda/wikibot-dev-wiki", "/aws/vendedlogs/wikibot-dev",
    }  # fmt: skip
    assert {group["retentionInDays"] for group in groups.values()} == {14}


def test_a_public_wiki_needs_no_token_of_a_reader(checkout: Checkout) -> None:
    functions = checkout.up(read_access="ANONYMOUS", reader_token="").of("Function")
    variables = {**functions["mcp"]["environment"]["variables"], **functions["wiki"]["environment"]["variables"]}
    assert variables["READ_ACCESS"] == "ANONYMOUS"
    assert not variables.keys() & {"WIKI_READER_TOKEN", "WIKI_READER_TOKEN_HASH"}


def test_the_subnets_are_in_the_configured_zones(checkout: Checkout) -> None:
    subnets = checkout.up(availability_zones="eu-central-1b,eu-central-1c").of("Subnet")
    assert [subnet["availabilityZone"] for subnet in subnets.values()] == ["eu-central-1b", "eu-central-1c"]


def test_a_restored_file_system_takes_the_place_of_a_new_one(checkout: Checkout) -> None:
    stack = checkout.up(file_system_id="fs-0123456789abcdef0")
    assert not stack.of("FileSystem")
    assert {target["fileSystemId"] for target in stack.of("MountTarget").values()} == {"fs-0123456789abcdef0"}
    assert stack.of("AccessPoint")["wiki"]["fileSystemId"] == "fs-0123456789abcdef0"
    statements = json.loads(stack.of("RolePolicy")["wiki"]["policy"])["Statement"]
    assert "arn:of:fs-0123456789abcdef0" in [statement.get("Resource") for statement in statements]


def test_no_resource_contains_the_path_of_the_checkout(checkout: Checkout) -> None:
    assert str(checkout.root) not in repr(checkout.up().resources)


def test_each_role_allows_only_the_actions_of_its_function(stack: RecordedStack) -> None:
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
        services_for_all_resources = {action.partition(":")[0] for action, resource in actions if resource == "*"}
        assert services_for_all_resources == ({"ec2"} if name == "wiki" else set())
        logs = {resource for action, resource in actions if action.startswith("logs:")}
        assert logs == {f"arn:aws:cloudwatch:eu-central-1:111122223333:loggroup:loggroup/{name}:*"}
    mounts = {action for action, resource in allowed["wiki"] if resource.endswith("filesystem:filesystem/wiki")}
    assert mounts == {"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"}


def test_the_wiki_mounts_its_file_system_only_through_its_access_point(stack: RecordedStack) -> None:
    statements = json.loads(stack.of("RolePolicy")["wiki"]["policy"])["Statement"]
    (mount,) = [statement for statement in statements if statement["Action"][0].startswith("elasticfilesystem:")]
    arn = "arn:aws:efs:eu-central-1:111122223333:accesspoint:accesspoint/wiki"
    assert mount["Condition"] == {"StringEquals": {"elasticfilesystem:AccessPointArn": arn}}
    point = stack.of("AccessPoint")["wiki"]
    assert point["rootDirectory"]["creationInfo"] == {"ownerUid": 1000, "ownerGid": 1000, "permissions": "0750"}


def test_the_code_of_the_function_cannot_manage_network_interfaces(stack: RecordedStack) -> None:
    statements = json.loads(stack.of("RolePolicy")["wiki"]["policy"])["Statement"]
    (denial,) = [statement for statement in statements if statement["Effect"] == "Deny"]
    function = "arn:aws:lambda:eu-central-1:111122223333:function:wikibot-dev-wiki"
    assert denial["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": function}}


def test_only_nfs_is_allowed_between_function_and_storage(stack: RecordedStack) -> None:
    (egress,) = stack.of("SecurityGroupEgressRule").values()
    (ingress,) = stack.of("SecurityGroupIngressRule").values()
    assert (egress["securityGroupId"], egress["referencedSecurityGroupId"]) == ("wiki-function-id", "wiki-storage-id")
    assert (ingress["securityGroupId"], ingress["referencedSecurityGroupId"]) == ("wiki-storage-id", "wiki-function-id")
    for rule in (egress, ingress):
        assert (rule["ipProtocol"], rule["fromPort"], rule["toPort"]) == ("tcp", 2049, 2049)
    assert not [resource for resource in stack.resources if "Gateway" in resource.type.rpartition(":")[2]]
    assert stack.of("FileSystem")["wiki"]["encrypted"] is True
    assert stack.of("BackupPolicy")["wiki"]["backupPolicy"] == {"status": "ENABLED"}


def test_the_domain_is_mapped_to_the_stage(stack: RecordedStack) -> None:
    (mapping,) = stack.of("ApiMapping").values()
    assert (mapping["apiId"], mapping["domainName"], mapping["stage"]) == ("api-id", "dev.wikibot.io", "$default")
    (domain,) = stack.of("DomainName").values()
    assert domain["domainNameConfiguration"]["securityPolicy"] == "TLS_1_2"
    assert stack.of("Certificate")["domain"]["validationMethod"] == "DNS"
    records = stack.of("Record")
    assert {(record["type"], record["name"]) for record in records.values()} == {
        ("A", "dev.wikibot.io"), ("AAAA", "dev.wikibot.io"), ("CNAME", "_x.dev.wikibot.io"),
    }  # fmt: skip
    assert stack.of("Api")["api"]["disableExecuteApiEndpoint"] is True
