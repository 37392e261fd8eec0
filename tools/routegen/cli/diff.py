"""`routegen diff`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from routegen.cli.differences import Findings, format_option, show
from routegen.cli.options import debug_option, manifest_option, manifest_path
from routegen.errors import ManifestError

if TYPE_CHECKING:
    from routegen.manifest import Manifest

_EPILOG = """\b
Examples:
  routegen diff git:main generated/routes.json
  routegen diff git:v1.2 git:HEAD --format json
  routegen diff old.json new.json

\b
Exit code 0: no difference; 1: they differ.
"""


@click.command(epilog=_EPILOG)
@click.argument("old")
@click.argument("new")
@manifest_option
@format_option
@debug_option
def diff(old: str, new: str, manifest: Path | None, format_: str) -> int:
    """Compare two manifests, and say what each difference means.

    OLD and NEW are each a file, or git:REV for the manifest as committed at that revision; --manifest says which
    file that is.
    """
    from routegen.compare import compare  # noqa: PLC0415 - heavy, and only used here

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
