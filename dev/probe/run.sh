#!/usr/bin/env bash
# Creates the probe's API in your AWS account, measures it, and removes it: bash dev/probe/run.sh eu-central-1
# The state of the stack is in a temporary directory, so no Pulumi account is needed. The cost is below one US cent.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

fail() {
    printf 'dev/probe/run.sh: %s\n' "$*" >&2
    exit 1
}

[ $# = 1 ] || fail 'give the AWS region: bash dev/probe/run.sh eu-central-1'
command -v pulumi >/dev/null || fail 'pulumi is not on PATH; install it: https://www.pulumi.com/docs/install/'
../../.venv/bin/python -c 'import pulumi_aws' 2>/dev/null || fail 'the virtual environment .venv is missing; run: make setup'

state=$(mktemp -d)
export PULUMI_BACKEND_URL="file://$state" PULUMI_CONFIG_PASSPHRASE=probe PULUMI_SKIP_UPDATE_CHECK=true

remove() {
    pulumi destroy --stack probe --yes --skip-preview >&2 ||
        fail "the API is not removed; its state is in $state: run pulumi destroy with PULUMI_BACKEND_URL=file://$state"
    rm -rf "$state"
}

pulumi stack init probe >&2
pulumi config set aws:region "$1" --stack probe
trap remove EXIT
pulumi up --stack probe --yes --skip-preview >&2
../../.venv/bin/python measure.py "$(pulumi stack output url --stack probe)"
