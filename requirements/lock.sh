#!/usr/bin/env bash
# Resolves every requirement file and writes it with hashes; `make lock` calls it.
# The files have no header and no index options, so that they are the same on every machine.
set -euo pipefail
cd "$(dirname "$0")/.."
compile=(uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes
         --no-header --no-annotate --no-emit-index-url --no-strip-extras)
"${compile[@]}" --all-extras --group dev pyproject.toml -o requirements/dev.txt

# All other files take the versions of dev.txt, because the tests run with those.
compile+=(--constraint requirements/dev.txt)
"${compile[@]}" --group main pyproject.toml -o requirements/main.txt
"${compile[@]}" --group serve --extra serve pyproject.toml -o requirements/serve.txt
"${compile[@]}" --group uv -o requirements/uv.txt
for lambda in app/poc/mcp_package app/otterwiki; do
    "${compile[@]}" "$lambda/requirements.in" -o "$lambda/requirements.txt"
done
# the build backends of packages that have no wheel
"${compile[@]}" --constraint app/otterwiki/requirements.txt app/otterwiki/sdist-requirements.in \
    -o app/otterwiki/sdist-requirements.txt
