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
       bash infra/pulumi.sh check [--stack NAME]

Runs `pulumi COMMAND ARGUMENTS` in infra/, after a look at whether all that it needs is there.
`check` is ours: `routegen audit` and `routegen verify` on the deployed stack. `up --check` does it after `up`.

examples:
  bash infra/pulumi.sh preview --stack dev
  bash infra/pulumi.sh up --stack dev --check
  bash infra/pulumi.sh check --stack dev
  bash infra/pulumi.sh stack output mcp_url
EOT
    exit 0
fi

# Not `npx pulumi`: that package downloads the CLI when it first runs.
command -v pulumi >/dev/null || fail 'there is no pulumi on PATH; install it: https://www.pulumi.com/docs/install/'

../.venv/bin/python -c 'import pulumi_aws, pulumi_docker_build, routegen.manifest' 2>/dev/null ||
    fail 'the virtual environment .venv is missing or lacks the extra `infra`; run: make setup'

builds='' deploys='' checks='' previous=''
stack=() arguments=() # as ${x[@]+...}: an empty array is unset to the bash of macOS
for word in "$@"; do # wherever the command stands: --stack dev up
    case $word in
    up | update) builds=yes deploys=yes ;;
    preview | pre | refresh) builds=yes ;;
    --check) checks=yes ;;
    --stack=*) stack=("$word") ;;
    esac
    case $previous in --stack | -s) stack=(--stack "$word") ;; esac
    previous=$word
    [ "$word" = --check ] || arguments+=("$word")
done

# What a check of the deployed stack is asked for comes from the stack: its outputs, and where it was built.
check() {
    local api url mcp wiki region format=text failed=''
    api=$(pulumi stack output api_id ${stack[@]+"${stack[@]}"}) || fail 'the stack has no output api_id: has it been deployed?'
    url=$(pulumi stack output url ${stack[@]+"${stack[@]}"})
    mcp=$(pulumi stack output mcp_function ${stack[@]+"${stack[@]}"})
    wiki=$(pulumi stack output wiki_function ${stack[@]+"${stack[@]}"})
    region=$(pulumi config get aws:region ${stack[@]+"${stack[@]}"})
    [ -z "${GITHUB_ACTIONS:-}" ] || format=github
    ../.venv/bin/routegen audit --api-id "$api" --region "$region" --format "$format" \
        --function "mcp=$mcp" --function "otterwiki=$wiki" || failed=yes
    ../.venv/bin/routegen verify "$url" --wiki-path / --format "$format" || failed=yes
    [ -z "$failed" ] || fail 'the deployment is not as it should be: see above'
}

if [ "$1" = check ]; then
    check
    exit 0
fi
[ -z "$checks" ] || [ -n "$deploys" ] || fail '--check goes with up'

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
[ -n "$checks" ] || exec pulumi "$@"
pulumi ${arguments[@]+"${arguments[@]}"}
check
