"""`routegen diff`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from routegen.cli.differences import Findings, format_option, show
from routegen.cli.options import debug_option, manifest_option, manifest_path
from routegen.errors import ConfigError, ManifestError

if TYPE_CHECKING:
    from routegen.manifest import Manifest

_EPILOG = """\b
Examples:
  routegen diff git:main generated/routes.json
  routegen diff git:v1.2 git:HEAD --format json
  routegen diff --with fastmcp==2.14.5

\b
Exit code 0: no difference; 1: they differ.
"""


@click.command(epilog=_EPILOG)
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option(
    "--with",
    "requirements",
    multiple=True,
    metavar="REQUIREMENT",
    help="Instead of OLD and NEW: what would change if this were installed? Repeatable.",
)
@manifest_option
@format_option
@debug_option
def diff(old: str | None, new: str | None, requirements: tuple[str, ...], manifest: Path | None, format_: str) -> int:
    """Compare two manifests, and say what each difference means.

    OLD and NEW are each a file, or git:REV for the manifest as committed at that revision; --manifest says which
    file that is. With --with, the manifest is compared with what the apps would serve with another release of what
    they use, installed in a throw-away directory: the environment stays as it is.
    """
    if requirements:
        if old is not None:
            raise ConfigError("--with goes without OLD and NEW: it compares the manifest with an extraction")
        return show(_with(requirements, manifest), format_)
    if old is None or new is None:
        raise ConfigError("names OLD and NEW, each a file or git:REV; or --with a requirement")
    from routegen.diff import compare  # noqa: PLC0415 - heavy, and only used here

    before, _ = _read(old, manifest)
    after, text = _read(new, manifest)
    findings = Findings(
        differences=compare(before, after),
        wanted=after,
        file=new,
        text=text,
        same=f"{old} and {new} say the same",
        mend="",
    )
    return show(findings, format_)


def _with(requirements: tuple[str, ...], manifest: Path | None) -> Findings:
    from routegen.config import find_project, read_config  # noqa: PLC0415
    from routegen.diff import Note, compare  # noqa: PLC0415 - as above
    from routegen.extract.with_requirements import extract_with  # noqa: PLC0415
    from routegen.manifest import read_manifest  # noqa: PLC0415

    config = read_config(find_project(Path.cwd()))
    file = manifest_path(manifest, config)
    committed = read_manifest(file)
    said = ", ".join(requirements)
    if sys.stderr.isatty():
        click.echo(f"installing {said} in a throw-away directory", err=True)
    extraction = extract_with(config, requirements)
    return Findings(
        differences=compare(committed, extraction.manifest),
        wanted=extraction.manifest,
        file=os.fspath(file),
        text=file.read_text("utf-8"),
        same=f"{file}: nothing would change with {said}",
        mend=f"This is what would change with {said}; nothing has been installed",
        notes=tuple(Note("not-carried", notice.path, notice.text) for notice in extraction.notices),
    )


def _read(source: str, manifest: Path | None) -> "tuple[Manifest, str]":
    from routegen.manifest import parse_manifest, read_manifest  # noqa: PLC0415

    revision = source.removeprefix("git:")
    if revision == source:
        return read_manifest(Path(source)), Path(source).read_text("utf-8")
    if not revision:
        raise ManifestError(f"{source}: names no revision; git:HEAD is the last commit")
    file = manifest_path(manifest)
    data = _committed(revision, file, source)
    return parse_manifest(data, f"{source}:{file}"), data.decode()


def _committed(revision: str, file: Path, source: str) -> bytes:
    """The file's bytes at a revision.

    Raises:
        ManifestError: no such revision, no such file in it, no repository, or no git.
    """
    import subprocess  # noqa: PLC0415 - slow to import, and only used here

    path = Path(os.path.realpath(file))
    try:
        done = subprocess.run(
            # ./ makes the path relative to the directory that git runs in; --end-of-options guards the revision.
            ["git", "cat-file", "blob", "--end-of-options", f"{revision}:./{path.name}"],
            cwd=path.parent,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        missing = "git is not installed" if error.filename == "git" else f"there is no directory {path.parent}"
        raise ManifestError(f"{source}: {missing}") from None
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ").splitlines() or ["git failed"]
        raise ManifestError(f"{source}: {file}: {reason[0]}")
    return done.stdout
