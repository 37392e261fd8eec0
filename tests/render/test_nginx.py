"""The target nginx: the tests that the other reverse proxies do not share."""

from bisect import bisect_left
from pathlib import Path

import pytest
from render.manifests import COMMITTED
from render.test_proxies import check_config, make_manifest, write_config
from routegen.errors import ConfigError, UnsupportedRouteError
from routegen.render import RenderRequest, render


def test_a_configuration_can_include_it(tmp_path: Path) -> None:
    (tmp_path / "routes.conf").write_text(render(RenderRequest("nginx", COMMITTED, variables={"form": "include"})))
    user_config = tmp_path / "nginx.conf"
    user_config.write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n    include {tmp_path}/routes.conf;\n}}\n")
    assert "warn" not in check_config("nginx", user_config)


def test_it_writes_only_into_the_directory_that_is_set(tmp_path: Path) -> None:
    text = write_config("nginx", tmp_path).read_text()
    paths = [line.split()[1] for line in text.splitlines() if "_path " in line or line.startswith("pid ")]
    assert len(paths) == 6
    assert all(path.startswith(f"{tmp_path}/nginx-routegen") for path in paths)


@pytest.mark.parametrize("directory", ["tmp", "/tmp;", "/a b", "/$x", ""])
def test_the_directory_must_be_an_absolute_path(directory: str) -> None:
    with pytest.raises(ConfigError, match="--set: run must be an absolute path"):
        render(RenderRequest("nginx", COMMITTED, variables={"run": directory}))


def test_a_path_that_is_too_long_for_nginx_is_refused(tmp_path: Path) -> None:
    """nginx can read the longest path that is not refused; each `k` adds at least ten characters to the expression."""
    too_long = bisect_left(range(500), True, key=lambda length: not is_accepted("/" + "k" * length))
    assert 200 < too_long < 500
    check_config("nginx", write_config("nginx", tmp_path, make_manifest("/" + "k" * (too_long - 1))))


def is_accepted(path: str) -> bool:
    try:
        return bool(render(RenderRequest("nginx", make_manifest(path))))
    except UnsupportedRouteError as error:
        return not str(error).startswith(f"ANY {path}"[:47])


def test_apps_whose_names_differ_only_in_case_get_different_upstreams(tmp_path: Path) -> None:
    """nginx ignores case in the names of upstreams."""
    manifest = make_manifest("/x").model_copy(update={"default": "A"})
    text = write_config("nginx", tmp_path, manifest).read_text()
    names = [line.split()[1] for line in text.splitlines() if line.strip().startswith("upstream ")]
    assert len({name.lower() for name in names}) == 2
    check_config("nginx", tmp_path / "nginx.conf")
