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

# Not `npx pulumi`: that package downloads the CLI when it first runs.
command -v pulumi >/dev/null || fail 'there is no pulumi on PATH; install it: https://www.pulumi.com/docs/install/'

../.venv/bin/python -c 'import pulumi_aws, pulumi_docker_build, routegen.manifest' 2>/dev/null ||
    fail 'the virtual environment .venv is missing or lacks the extra `infra`; run: make setup'

builds='' deploys=''
for word in "$@"; do # wherever the command stands: --stack dev up
    case $word in
    up | update) builds=yes deploys=yes ;;
    preview | pre | refresh) builds=yes ;;
    esac
done
if [ -n "$builds" ]; then
    for package in mcp otterwiki; do
        [ -f "../build/$package/lambda.json" ] ||
            fail "there is no package build/$package; run: PYTHON=python3.13 make package"
    done
fi
if [ -n "$deploys" ]; then
    docker version >/dev/null 2>&1 || fail "the wiki's image needs a running Docker (docker version fails)"
fi

# Lambda refuses an image with the attestations that BuildKit adds by default.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1
exec pulumi "$@"
