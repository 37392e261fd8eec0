#!/usr/bin/env bash
# Runs Pulumi on the program in infra/: bash infra/pulumi.sh up, preview, destroy, stack output, ... It installs nothing.
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
       bash infra/pulumi.sh rollback mcp|wiki VERSION [--stack NAME]

Checks that all requirements are installed, and runs `pulumi COMMAND ARGUMENTS` in infra/.
`up` runs a preview first, and stops if anything but a route would be deleted or replaced; `--allow-replace` goes on.
`up --check` runs `check` after `up`.
`check` is not a Pulumi command: it runs `routegen audit` and `routegen verify` on the deployed stack.
`rollback` lets the function's alias lead to an earlier version at once, and configures this version for the next `up`.

examples:
  bash infra/pulumi.sh rollback mcp 41 --stack dev
  bash infra/pulumi.sh preview --stack dev
  bash infra/pulumi.sh up --stack dev --check
  bash infra/pulumi.sh check --stack dev
  bash infra/pulumi.sh stack output mcp_url
EOT
    exit 0
fi

# `npx pulumi` is no alternative: that package downloads the CLI when it runs for the first time.
command -v pulumi >/dev/null || fail 'pulumi is not on PATH; install it: https://www.pulumi.com/docs/install/'

# Only looked up, because importing them takes half a second.
../.venv/bin/python -c 'from importlib.util import find_spec
raise SystemExit(not all(map(find_spec, ("pulumi_aws", "pulumi_docker_build", "routegen.manifest"))))' 2>/dev/null ||
    fail 'the virtual environment .venv is missing, or it does not have the extra `infra`; run: make setup'

needs_packages='' needs_docker='' check_after_up='' allow_replace='' previous=''
stack=() arguments=() # expanded as ${x[@]+...}, because bash on macOS treats an empty array as unset
for word in "$@"; do # the command can be at any position: --stack dev up
    case $word in
    up | update) needs_packages=yes needs_docker=yes ;;
    preview | pre | refresh) needs_packages=yes ;;
    --check) check_after_up=yes ;;
    --allow-replace) allow_replace=yes ;;
    --stack=*) stack=("$word") ;;
    esac
    case $previous in --stack | -s) stack=(--stack "$word") ;; esac
    previous=$word
    case $word in --check | --allow-replace) ;; *) arguments+=("$word") ;; esac
done

# The arguments of `audit` and `verify` come from the outputs and the configuration of the stack.
check() {
    local api url mcp wiki region format=text failed=''
    api=$(pulumi stack output api_id ${stack[@]+"${stack[@]}"}) || fail 'the stack has no output api_id; deploy it first: bash infra/pulumi.sh up'
    url=$(pulumi stack output url ${stack[@]+"${stack[@]}"})
    mcp=$(pulumi stack output mcp_function ${stack[@]+"${stack[@]}"})
    wiki=$(pulumi stack output wiki_function ${stack[@]+"${stack[@]}"})
    region=$(pulumi config get aws:region ${stack[@]+"${stack[@]}"})
    [ -z "${GITHUB_ACTIONS:-}" ] || format=github
    ../.venv/bin/routegen audit --api-id "$api" --region "$region" --format "$format" \
        --function "mcp=$mcp" --function "otterwiki=$wiki" --domain "${url#https://}" || failed=yes
    ../.venv/bin/routegen verify "$url" --page / --format "$format" || failed=yes
    [ -z "$failed" ] || fail 'audit or verify has found an error in the deployment; the lines above name it'
}

rollback() { # NAME VERSION
    local function region
    case $1 in mcp | wiki) ;; *) fail 'rollback needs a function and a version: bash infra/pulumi.sh rollback mcp 41' ;; esac
    [[ $2 =~ ^[1-9][0-9]*$ ]] || fail "rollback needs the number of a version, not '$2'; the output ${1}_version has the present one"
    command -v aws >/dev/null || fail 'aws is not on PATH; install the AWS CLI'
    function=$(pulumi stack output "${1}_function" ${stack[@]+"${stack[@]}"}) || fail "the stack has no output ${1}_function; deploy it first: bash infra/pulumi.sh up"
    region=$(pulumi config get aws:region ${stack[@]+"${stack[@]}"})
    aws lambda update-alias --function-name "${function%:*}" --name "${function##*:}" --function-version "$2" --region "$region" >/dev/null ||
        fail "the alias has not changed; aws lambda list-versions-by-function --function-name ${function%:*} lists the versions"
    pulumi config set "${1}_version" "$2" ${stack[@]+"${stack[@]}"}
    echo "$function leads to version $2. To go forward: pulumi config rm ${1}_version, and up" >&2
}

if [ "$1" = check ]; then
    check
    exit 0
fi
if [ "$1" = rollback ]; then
    rollback "${2-}" "${3-}"
    exit 0
fi
[ -z "$check_after_up$allow_replace" ] || [ -n "$needs_docker" ] || fail '--check and --allow-replace are only possible with up'

if [ -n "$needs_packages" ]; then
    for package in mcp otterwiki; do
        [ -f "../build/$package/lambda.json" ] ||
            fail "the package build/$package is missing; run: PYTHON=python3.13 make package"
    done
fi
if [ -n "$needs_docker" ]; then
    docker version >/dev/null 2>&1 || fail "docker version fails, and the wiki's image needs Docker; start Docker"
fi

# Lambda refuses an image with attestations, which BuildKit adds by default.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1
if [ -n "$needs_docker" ] && [ -z "$allow_replace" ]; then
    preview=$(pulumi preview --json ${stack[@]+"${stack[@]}"}) || {
        pulumi preview ${stack[@]+"${stack[@]}"} || true # the same with a message for people
        fail 'the preview has failed, so nothing was deployed'
    }
    lost=$(../.venv/bin/python -c '
import json, sys
lost = [step for step in json.load(sys.stdin).get("steps", []) if "delete" in step["op"] or "replace" in step["op"]]
urns = {step["urn"].split("::", 2)[2] for step in lost}
print(*sorted(urn for urn in urns if not urn.split("::")[0].endswith("aws:apigatewayv2/route:Route")), sep=", ")
' <<<"$preview") || fail 'the preview is not the JSON of `pulumi preview --json`; update the Pulumi CLI'
    [ -z "$lost" ] || fail "the preview would delete or replace $lost; read it with: bash infra/pulumi.sh preview --diff, and give --allow-replace to go on"
fi
[ -n "$check_after_up" ] || exec pulumi ${arguments[@]+"${arguments[@]}"}
pulumi ${arguments[@]+"${arguments[@]}"}
check
