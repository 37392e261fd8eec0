#!/usr/bin/env bash
# Runs Pulumi on this program: bash infra/pulumi.sh up, preview, destroy, stack output, ... Installs nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

fail() {
    printf 'infra/pulumi.sh: %s\n' "$*" >&2
    exit 1
}

if [ $# -eq 0 ] || [ "$1" = --help ] || [ "$1" = -h ]; then
    cat <<'EOT'
usage: bash infra/pulumi.sh COMMAND [ARGUMENTS]

Runs `pulumi COMMAND ARGUMENTS` in infra/, after a look at whether all that it needs is there.

examples:
  bash infra/pulumi.sh preview --stack dev
  bash infra/pulumi.sh up --stack dev
  bash infra/pulumi.sh stack output mcp_url
EOT
    exit 0
fi

if command -v pulumi >/dev/null; then
    pulumi=(pulumi)
elif command -v npx >/dev/null && npx --no-install pulumi version >/dev/null 2>&1; then
    pulumi=(npx --no-install pulumi)
else
    fail 'there is no pulumi on PATH; install it: https://www.pulumi.com/docs/install/'
fi

../.venv/bin/python -c 'import pulumi_aws, pulumi_docker_build, routegen.manifest' 2>/dev/null ||
    fail 'the virtual environment .venv is missing or lacks the extra `infra`; run: make setup'

case $1 in
up | update | preview | pre | refresh)
    for package in mcp otterwiki; do
        [ -f "../build/$package/lambda.json" ] ||
            fail "there is no package build/$package; run: PYTHON=python3.13 make package"
    done
    ;;
esac
case $1 in
up | update)
    docker version >/dev/null 2>&1 || fail "the wiki's image needs a running Docker (docker version fails)"
    ;;
esac

# Lambda refuses an image with the attestations that BuildKit adds by default.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1
exec "${pulumi[@]}" "$@"
