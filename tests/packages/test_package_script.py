"""app/package.sh with a Lambda of two files, so that each failure takes about one second."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "app" / "package.sh"


@dataclass(frozen=True)
class SmallLambda:
    """The sources of a Lambda with one requirement, which is a wheel on this machine."""

    source: Path
    output: Path

    def build(
        self, *options: str, recipe: tuple[str, ...] = (), **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        command = [
            "bash",
            str(SCRIPT),
            "small",
            str(self.source),
            "main.handler",
            *recipe,
            "--",
            "-o",
            str(self.output),
        ]
        return subprocess.run(
            [*command, *options],
            env=os.environ | {"PYTHON": sys.executable} | environment,
            cwd=self.source.parent,
            capture_output=True,
            text=True,
            check=False,
        )

    def bytes(self) -> dict[str, tuple[int, bytes]]:
        files = (path for path in self.output.rglob("*") if path.is_file())
        return {str(path.relative_to(self.output)): (path.stat().st_mode, path.read_bytes()) for path in files}

    def require(self, wheel: Path, digest: str | None = None) -> None:
        digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
        line = f"tiny @ {wheel.as_uri()} \\\n    --hash=sha256:{digest}\n"
        (self.source / "requirements.txt").write_text(line)


def write_wheel(directory: Path) -> Path:
    wheel = directory / "tiny-1.0-py3-none-any.whl"
    info = "tiny-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny/__init__.py", "ANSWER = 42\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\ntiny = tiny:main\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def make_lambda(directory: Path) -> SmallLambda:
    source = directory / "source"
    source.mkdir()
    (source / "main.py").write_text("import tiny\n\n\ndef handler(event, context):\n    return tiny.ANSWER\n")
    (source / "build.sh").touch()
    small = SmallLambda(source, directory / "build" / "small")
    small.require(write_wheel(directory))
    return small


@pytest.fixture
def small(tmp_path: Path) -> SmallLambda:
    return make_lambda(tmp_path)


@pytest.fixture(scope="session")
def built_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    small = make_lambda(tmp_path_factory.mktemp("before"))
    completed = small.build()
    assert completed.returncode == 0, completed.stderr
    return small.output


@pytest.fixture
def previous(small: SmallLambda, built_before: Path) -> dict[str, tuple[int, bytes]]:
    """The package of a previous build."""
    shutil.copytree(built_before, small.output)
    return small.bytes()


def error_line(small: SmallLambda, completed: "subprocess.CompletedProcess[str]", code: int = 1) -> str:
    """Return the error line of a failed build, which must leave no temporary files."""
    assert (completed.returncode, completed.stdout) == (code, "")
    lines = [line for line in completed.stderr.splitlines() if not line.startswith("small: ")]
    assert len(lines) == 1, completed.stderr
    if small.output.parent.exists():
        assert [path.name for path in small.output.parent.iterdir()] in ([], ["small"])
    return lines[0]


def test_a_second_build_gives_the_same_bytes(small: SmallLambda) -> None:
    assert small.build().returncode == 0
    previous = small.bytes()
    assert {"main.py", "lambda.json", "tiny/__init__.py"} < set(previous)
    assert "build.sh" not in previous
    assert "bin/tiny" not in previous
    assert small.build().returncode == 0
    assert small.bytes() == previous
    assert [path.name for path in small.output.parent.iterdir()] == ["small"]


def test_a_deleted_source_is_not_packaged_again(small: SmallLambda, previous: dict[str, tuple[int, bytes]]) -> None:
    (small.source / "main.py").rename(small.source / "renamed.py")
    assert small.build().returncode == 0
    assert "main.py" in previous
    assert "main.py" not in small.bytes()


def test_a_package_that_is_too_large_is_an_error(small: SmallLambda, previous: dict[str, tuple[int, bytes]]) -> None:
    line = error_line(small, small.build(LAMBDA_MAX_UNZIPPED_BYTES="100"))
    assert "bytes unzipped, and Lambda allows 100; remove a requirement" in line
    assert small.bytes() == previous


def test_a_zip_file_that_is_too_large_is_an_error(small: SmallLambda, previous: dict[str, tuple[int, bytes]]) -> None:
    assert small.build(LAMBDA_MAX_ZIPPED_BYTES="100").returncode == 0  # an image has no zip file
    previous = small.bytes()
    line = error_line(small, small.build(recipe=("--zip",), LAMBDA_MAX_ZIPPED_BYTES="100"))
    assert "bytes as a zip file, and Lambda allows 100; remove a requirement" in line
    assert small.bytes() == previous
    assert small.build(recipe=("--zip",)).returncode == 0


def test_a_wrong_hash_is_an_error(small: SmallLambda, previous: dict[str, tuple[int, bytes]], tmp_path: Path) -> None:
    small.require(tmp_path / "tiny-1.0-py3-none-any.whl", "0" * 64)
    line = error_line(small, small.build())
    assert "pip could not install" in line
    assert "DO NOT MATCH THE HASHES" in line
    assert small.bytes() == previous


def test_a_requirement_without_a_hash_is_an_error(small: SmallLambda, previous: dict[str, tuple[int, bytes]]) -> None:
    (small.source / "requirements.txt").write_text("tiny==1.0\n")
    assert "pip could not install" in error_line(small, small.build())
    assert small.bytes() == previous


def test_a_source_that_does_not_compile_is_an_error(small: SmallLambda, previous: dict[str, tuple[int, bytes]]) -> None:
    (small.source / "main.py").write_text("def handler(:\n")
    assert "some sources do not compile" in error_line(small, small.build())
    assert small.bytes() == previous


def test_a_requirement_can_be_left_out(small: SmallLambda, tmp_path: Path) -> None:
    requirements = small.source / "requirements.txt"
    requirements.write_text(f"heavy==1.0 \\\n    --hash=sha256:{'0' * 64}\n" + requirements.read_text())
    completed = small.build(recipe=("--leave-out", "heavy"))
    assert completed.returncode == 0, completed.stderr
    assert "tiny/__init__.py" in small.bytes()


def test_a_directory_that_is_not_a_package_is_not_replaced(small: SmallLambda) -> None:
    small.output.mkdir(parents=True)
    (small.output / "thesis.txt").write_text("years of work")
    line = error_line(small, small.build())
    assert line.endswith("exists and is not a package of this script; select another directory with -o, or remove it")
    assert (small.output / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("interpreter", ["no-such-python", "false"])
def test_an_interpreter_that_does_not_run_is_an_error(small: SmallLambda, interpreter: str) -> None:
    assert "set PYTHON, e.g. PYTHON=python3.13" in error_line(small, small.build(PYTHON=interpreter))


@pytest.mark.parametrize(
    ("version_info", "pip_exit_code", "message"),
    [
        ("linux 3 10 3.10.1", 0, "is Python 3.10; Lambda packages are built for 3.11 to 3.14"),
        ("linux 3 15 3.15.0", 0, "is Python 3.15; Lambda packages are built for 3.11 to 3.14"),
        ("darwin 3 13 3.13.0", 0, "this is darwin; build on Linux"),
        ("linux 3 13 3.13.0", 1, "has no pip; run:"),
    ],
)
def test_an_unsuitable_interpreter_is_an_error(
    small: SmallLambda, tmp_path: Path, version_info: str, pip_exit_code: int, message: str
) -> None:
    fake = tmp_path / "python"
    answers = f"""case "$2" in *find_spec*) exit {pip_exit_code} ;; *) echo "{version_info}" ;; esac"""
    fake.write_text(f"#!/bin/sh\n{answers}\n")
    fake.chmod(0o755)
    assert message in error_line(small, small.build(PYTHON=str(fake)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--arch", "z80"], "--arch is x86_64 or arm64, not z80"),
        (["--arch"], "--arch needs a value"),
        (["--colour"], "unknown option --colour"),
    ],
)
def test_a_usage_error_is_exit_code_2(small: SmallLambda, options: list[str], message: str) -> None:
    assert message in error_line(small, small.build(*options), code=2)


def test_help_has_an_example(small: SmallLambda) -> None:
    completed = small.build("--help")
    assert (completed.returncode, completed.stderr) == (0, "")
    assert "PYTHON=python3.13 bash" in completed.stdout


def test_lambda_json_has_the_architecture(small: SmallLambda) -> None:
    assert small.build("--arch", "arm64").returncode == 0
    assert '"architecture": "arm64"' in (small.output / "lambda.json").read_text()
