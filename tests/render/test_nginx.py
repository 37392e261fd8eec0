"""nginx: what the other reverse proxies don't have."""

from bisect import bisect_left
from pathlib import Path

import pytest
from render.manifests import COMMITTED
from render.test_proxies import checked, manifest, written
from routegen.errors import ConfigError, UnsupportedRouteError
from routegen.render import Request, render


def test_a_configuration_of_one_s_own_includes_it(tmp_path: Path) -> None:
    (tmp_path / "routes.conf").write_text(render(Request("nginx", COMMITTED, variables={"form": "include"})))
    mine = tmp_path / "nginx.conf"
    mine.write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n    include {tmp_path}/routes.conf;\n}}\n")
    assert "warn" not in checked("nginx", mine)


def test_it_writes_only_where_it_is_said_to(tmp_path: Path) -> None:
    text = written("nginx", tmp_path).read_text()
    paths = [line.split()[1] for line in text.splitlines() if "_path " in line or line.startswith("pid ")]
    assert len(paths) == 6
    assert all(path.startswith(f"{tmp_path}/nginx-routegen") for path in paths)


@pytest.mark.parametrize("run", ["tmp", "/tmp;", "/a b", "/$x", ""])
def test_a_directory_is_an_absolute_path(run: str) -> None:
    with pytest.raises(ConfigError, match="--set: run must be an absolute path"):
        render(Request("nginx", COMMITTED, variables={"run": run}))


def test_a_path_that_nginx_can_t_read_is_refused(tmp_path: Path) -> None:
    """The longest that isn't refused is one that nginx reads; each `k` makes ten characters or more."""
    too_long = bisect_left(range(500), True, key=lambda length: not readable("/" + "k" * length))
    assert 200 < too_long < 500
    checked("nginx", written("nginx", tmp_path, manifest("/" + "k" * (too_long - 1))))


def readable(path: str) -> bool:
    try:
        return bool(render(Request("nginx", manifest(path))))
    except UnsupportedRouteError as error:
        return not str(error).startswith(f"ANY {path}: ")


def test_apps_whose_names_differ_in_case_alone_have_upstreams_of_their_own(tmp_path: Path) -> None:
    """nginx compares an upstream's name without case."""
    two = manifest("/x").model_copy(update={"default": "A"})
    text = written("nginx", tmp_path, two).read_text()
    names = [line.split()[1] for line in text.splitlines() if line.strip().startswith("upstream ")]
    assert len({name.lower() for name in names}) == 2
    checked("nginx", tmp_path / "nginx.conf")
