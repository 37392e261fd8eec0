"""The URLs that `verify` may request, and the addresses to which it may connect."""

from ipaddress import ip_address

import pytest
from routegen.errors import ConfigError
from routegen.verify.request_url import address_kind, host_kind, origin_of, split_url
from routegen.verify.ssrf_guard import SsrfGuard

KINDS = {
    "public": ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
               "2606:4700::1111%1"],
    "loopback": ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::1%lo",
                 "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1", "2001:0:7f00:1::",
                 "2001:0:808:808::80ff:fffe"],
    "private": ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "fc00::1", "198.18.0.1", "240.0.0.1",
                "::10.0.0.1", "::8.8.8.8", "::ffff:10.0.0.1", "::ffff:0:10.0.0.1", "::ffff:0:8.8.8.8", "2002:a00:1::",
                "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "2001:0:a00:1::", "2001:0:808:808::f5ff:fffe",
                "fec0::1", "feff::1", "fec0::1%eth0", "100::1", "1::1", "4000::1", "2001:db8::1"],
    "link-local": ["169.254.1.1", "fe80::1", "::ffff:169.254.1.1"],
    "forbidden": [
        "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "0.0.0.0", "::",
        "224.0.0.1", "ff02::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::",
        "::169.254.169.254", "::ffff:0:169.254.169.254", "64:ff9b:1::a9fe:a9fe", "2001:0:a9fe:a9fe::",
        "2001:0:808:808::5601:5601", "64:ff9b:1:a00:0:100::", "fd00:ec2::254%eth0", "::ffff:0.0.0.0", "64:ff9b::e000:1",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "address"), [(kind, address) for kind, addresses in KINDS.items() for address in addresses]
)
def test_the_kind_of_an_address(kind: str, address: str) -> None:
    assert address_kind(ip_address(address)) == kind


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("0x7f.1", "loopback"), ("0177.0.0.1", "loopback"), ("2130706433", "loopback"), ("0x7f000001", "loopback"),
        ("127.1", "loopback"), ("017700000001", "loopback"), ("10.1", "private"), ("0xa9fea9fe", "forbidden"),
        ("0", "forbidden"), ("134744072", "public"), ("::1%lo", "loopback"), ("fe80::1%25eth0", "link-local"),
        ("localhost", "loopback"), ("a.localhost", "loopback"), ("wiki.example", None), ("1.2.3.4.example", None),
        ("127.0.0.1.", None), ("0x", None), ("", None), ("1.2.3.4.5", None), ("4294967296", None),
    ],
)  # fmt: skip
def test_the_kind_of_a_host_in_every_notation(host: str, kind: str | None) -> None:
    assert host_kind(host) == kind


@pytest.mark.parametrize(
    ("url", "private", "allowed"),
    [
        ("https://wiki.example", False, {"public"}),
        ("http://127.0.0.1:8000", False, {"public", "loopback"}),
        ("http://localhost:8000/mcp", False, {"public", "loopback"}),
        ("http://[::1]:8000", False, {"public", "loopback"}),
        ("https://10.0.0.1", False, {"public", "private"}),
        ("https://169.254.1.1", False, {"public"}),
        ("https://wiki.example", True, {"public", "loopback", "private", "link-local"}),
    ],
)
def test_the_url_of_the_user_decides_which_addresses_are_allowed(url: str, private: bool, allowed: set[str]) -> None:
    assert SsrfGuard.for_url(url, allow_private=private).address_kinds == allowed


@pytest.mark.parametrize("private", [False, True])
def test_the_metadata_service_of_a_cloud_is_always_forbidden(private: bool) -> None:
    guard = SsrfGuard.for_url("http://127.0.0.1", allow_private=private)
    for address in KINDS["forbidden"]:
        assert guard.address_problem(ip_address(address))


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://x", "https://", "https://a b", "https://u@x", "https://x:0", "https://x:99999", "https://ü",
            "https://[", "//x", "https://x\n"],
)  # fmt: skip
def test_a_url_that_cannot_be_requested_is_an_error(url: str) -> None:
    with pytest.raises(ConfigError, match="is not an http URL"):
        SsrfGuard.for_url(url, allow_private=False)


def test_an_origin_has_the_form_that_browsers_use() -> None:
    origins = {"HTTPS://Wiki.Example:443/x": "https://wiki.example", "http://[::1]:80": "http://[::1]"}
    for url, origin in origins.items():
        assert split_url(url) is not None
        assert origin_of(url) == origin


def test_only_the_deployment_and_the_servers_that_it_names_are_allowed() -> None:
    guard = SsrfGuard.for_url("https://wiki.example/mcp", allow_private=False)
    assert guard.url_problem("https://wiki.example/.well-known/x") is None
    assert guard.url_problem("https://server.example/x")
    guard.allow("https://server.example/tenant")
    assert guard.url_problem("https://server.example/x") is None
    guard.allow("http://plain.example")
    assert guard.url_problem("http://plain.example")
    assert guard.url_problem("file:///etc/passwd") == "it is not an http URL"
