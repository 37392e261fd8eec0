#!/usr/bin/env bash
# Writes every hashed requirement file anew; `make lock` calls it.
# No header and no index options: the files must read the same on every machine.
set -euo pipefail
cd "$(dirname "$0")/.."
compile=(uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes
         --no-header --no-annotate --no-emit-index-url --no-strip-extras)
"${compile[@]}" --all-extras --group dev pyproject.toml -o requirements/dev.txt
for lambda in app/poc/mcp_package app/otterwiki; do
    # the versions that the tests ran with
    "${compile[@]}" --constraint requirements/dev.txt "$lambda/requirements.in" -o "$lambda/requirements.txt"
done
# what has no wheel, and what builds it
"${compile[@]}" --constraint app/otterwiki/requirements.txt app/otterwiki/sdist-requirements.in \
    -o app/otterwiki/sdist-requirements.txt
