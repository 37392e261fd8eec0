"""`routegen diff`."""

import os
import subprocess
from pathlib import Path

import click

from routegen.cli.options import env_options, manifest_option, manifest_path, project_config, with_variables
from routegen.cli.output import show_progress
from routegen.cli.reports import ReportOptions, report_options, show_report
from routegen.config import Config
from routegen.diff import as_data, as_findings, compare
from routegen.errors import ConfigError, ManifestError
from routegen.extract.extraction_findings import extraction_findings
from routegen.extract.with_requirements import extract_with_requirements
from routegen.manifest import Manifest, parse_manifest, read_manifest
from routegen.report import Finding, Report, rules

_EPILOG = """\b
Examples:
  routegen diff git:main generated/routes.json
  routegen diff git:v1.2 git:HEAD --format json
  routegen diff --with fastmcp==2.14.5

\b
Exit code 0: no difference; 1: the manifests differ.
"""


@click.command("diff", epilog=_EPILOG)
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option(
    "--with",
    "requirements",
    multiple=True,
    metavar="REQUIREMENT",
    help="Instead of OLD and NEW: compare with the routes after this requirement is installed.  Repeatable.",
)
@manifest_option
@env_options
@report_options
def command(
    old: str | None,
    new: str | None,
    requirements: tuple[str, ...],
    manifest: Path | None,
    variables: tuple[str, ...],
    env_files: tuple[Path, ...],
    reporting: ReportOptions,
) -> int:
    """Compare two manifests, and say what each difference means.

    OLD and NEW are each a file, or git:REV for the manifest as it was committed at that revision; --manifest names the
    file to read there. With --with, the manifest is compared with the routes that the apps would serve with another
    release of a library. The release is installed in a temporary directory; your environment does not change.
    """
    if requirements:
        if old is not None:
            raise ConfigError("--with: it compares the manifest with an extraction, so give it without OLD and NEW")
        config = with_variables(project_config(), variables, env_files)
        return show_report(_compare_with(requirements, config, manifest_path(manifest, config)), reporting)
    if variables or env_files:
        raise ConfigError("--env: it goes with --with; without --with, no app is imported")
    if old is None or new is None:
        raise ConfigError("OLD NEW: give two manifests, each a file or git:REV, or give --with REQUIREMENT instead")
    old_manifest, _ = _read(old, manifest)
    new_manifest, text = _read(new, manifest)
    fix = f"Deploy the gateway from {new} to apply the difference."
    return show_report(_report(old_manifest, new_manifest, text, new, fix, f"the same routes as {old}"), reporting)


def _report(
    old: Manifest, new: Manifest, text: str, file: str, fix: str, success: str, notices: tuple[Finding, ...] = ()
) -> Report:
    differences = compare(old, new)
    return Report(
        command="routegen diff",
        subject=file,
        rules=rules.COMPARISON_RULES,
        findings=(*as_findings(differences, new, text, fix), *notices),
        success=success,
        details={"differences": as_data(differences)},
        file="" if file.startswith("git:") else file,
    )


def _compare_with(requirements: tuple[str, ...], config: Config, file: Path) -> Report:
    committed = read_manifest(file)
    names = ", ".join(requirements)
    show_progress(f"installing {names} in a temporary directory")
    extraction = extract_with_requirements(config, requirements)
    fix = f"If you install {names}, run: routegen extract -o {file}"
    text = file.read_text("utf-8")
    notices = tuple(extraction_findings(extraction))
    return _report(committed, extraction.manifest, text, os.fspath(file), fix, f"the same routes with {names}", notices)


def _read(source: str, manifest: Path | None) -> tuple[Manifest, str]:
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
    path = Path(os.path.realpath(file))
    try:
        process = subprocess.run(
            # ./ makes the path relative to the directory that git runs in; --end-of-options guards the revision.
            ["git", "cat-file", "blob", "--end-of-options", f"{revision}:./{path.name}"],
            cwd=path.parent,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        missing = "git is not installed" if error.filename == "git" else f"there is no directory {path.parent}"
        raise ManifestError(f"{source}: {missing}") from None
    if process.returncode:
        reason = process.stderr.decode(errors="replace").strip().removeprefix("fatal: ").splitlines() or ["git failed"]
        raise ManifestError(f"{source}: {file}: {reason[0]}")
    return process.stdout
