#!/usr/bin/env bash
# Builds the package directory of one Lambda. Each Lambda's build.sh calls it. docs/packaging.md explains the reasons.
#
#   package.sh NAME SOURCE HANDLER [--zip] [--glibc N] [--sdist PROJECT] [--leave-out PROJECT] -- [options of the user]
#
#   NAME                 the name of the package directory, build/NAME
#   SOURCE               the directory with the *.py files and requirements.txt
#   HANDLER              the handler in lambda.json, e.g. mcp_server.handler
#   --glibc N            wheels can need glibc 2.N or older; default: the glibc of AWS's runtime for this Python
#   --sdist PROJECT      a project without a wheel, built from its sdist with SOURCE/sdist-requirements.txt
#   --zip                the package is deployed as a zip file, which Lambda limits too
#   --leave-out PROJECT  a project in requirements.txt that is not needed at run time
set -euo pipefail
umask 022

zip_limit=${LAMBDA_MAX_ZIPPED_BYTES:-52428800} # 50 MB for an upload without S3, on the same page
limit=${LAMBDA_MAX_UNZIPPED_BYTES:-262144000} # 250 MB: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
python=${PYTHON:-python3}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
name=$1 source=$2 handler=$3
shift 3
command=${source#"$root"/}/build.sh

usage() {
    cat <<EOT
usage: bash $command [-o DIR] [--arch x86_64|arm64]

Builds a package directory for Lambda: the sources of ${command%/build.sh}, its requirements
(installed with hashes), and their bytecode. The package runs on the Python version that builds it.

  -o, --output DIR   the package directory (default: build/$name in the repository)
  --arch ARCH        the architecture: x86_64 (default) or arm64
  -h, --help         show this help

environment:
  PYTHON                     the interpreter, 3.11 to 3.14 (default: python3)
  LAMBDA_MAX_UNZIPPED_BYTES  the size limit (default: 262144000, which is Lambda's 250 MB)
  LAMBDA_MAX_ZIPPED_BYTES    the size limit of a zip file (default: 52428800, which is Lambda's 50 MB)

example:
  PYTHON=python3.13 bash $command
EOT
}

log() { printf '%s: %s\n' "$name" "$*" >&2; }

fail() {
    printf '%s: %s\n' "$command" "$*" >&2
    exit 1
}

usage_error() {
    printf '%s: %s; see --help\n' "$command" "$*" >&2
    exit 2
}

zipped='' glibc='' sdists='' left_out='' output=$root/build/$name arch=x86_64

read_recipe() { # the options of the Lambda's build.sh, up to --
    recipe_words=0
    while [ "$1" != -- ]; do
        case $1 in
            --zip) zipped=yes && shift && recipe_words=$((recipe_words + 1)) && continue ;;
            --glibc) glibc=$2 ;;
            --sdist) sdists+=" $2" ;;
            --leave-out) left_out+=" $2" ;;
            *) usage_error "unknown recipe option $1" ;;
        esac
        shift 2
        recipe_words=$((recipe_words + 2))
    done
    recipe_words=$((recipe_words + 1))
}

read_options() {
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) usage && exit 0 ;;
            -o | --output | --arch) [ -n "${2-}" ] || usage_error "$1 needs a value" ;;&
            -o | --output) output=$2 && shift 2 ;;
            --arch) arch=$2 && shift 2 ;;
            *) usage_error "unknown option $1" ;;
        esac
    done
    case $arch in
        x86_64 | arm64) ;;
        *) usage_error "--arch is x86_64 or arm64, not $arch" ;;
    esac
    [[ $zip_limit =~ ^[0-9]+$ ]] || usage_error "LAMBDA_MAX_ZIPPED_BYTES is a number of bytes, not $zip_limit"
    [[ $limit =~ ^[0-9]+$ ]] || usage_error "LAMBDA_MAX_UNZIPPED_BYTES is a number of bytes, not $limit"
}

check_python() {
    local version_info system
    command -v "$python" >/dev/null || fail "$python is not on PATH; set PYTHON, e.g. PYTHON=python3.13 bash $command"
    version_info=$("$python" -c 'import sys; print(sys.platform, *sys.version_info[:2], "%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) ||
        fail "$python does not run; set PYTHON, e.g. PYTHON=python3.13 bash $command"
    read -r system major minor full_version <<<"$version_info"
    [ "$system" = linux ] || fail "this is $system; build on Linux, because pip evaluates the requirements' markers for the machine that builds"
    [ "$major" = 3 ] && [ "$minor" -ge 11 ] && [ "$minor" -le 14 ] ||
        fail "$python is Python $major.$minor; Lambda packages are built for 3.11 to 3.14: set PYTHON, e.g. PYTHON=python3.13"
    "$python" -c 'import importlib.util; raise SystemExit(importlib.util.find_spec("pip") is None)' >/dev/null 2>&1 ||
        fail "$python has no pip; run: $python -m ensurepip, or set PYTHON to an interpreter that has it"
}

check_output() { # the script must not replace a directory that it did not create
    mkdir -p "$(dirname "$output")" 2>/dev/null || fail "cannot create the directory $(dirname "$output"); select another directory with -o"
    output=$(cd "$(dirname "$output")" && pwd)/$(basename "$output")
    if [ -e "$output" ] && [ ! -f "$output/lambda.json" ]; then
        [ -d "$output" ] && [ -z "$(ls -A "$output")" ] ||
            fail "$output exists and is not a package of this script; select another directory with -o, or remove it"
    fi
    [ -w "$(dirname "$output")" ] || fail "cannot write to $(dirname "$output"); select another directory with -o"
}

platforms() { # the --platform options of pip, newest glibc first
    local machine=$arch n
    [ "$arch" = arm64 ] && machine=aarch64
    # Amazon Linux 2 (Python 3.11) has glibc 2.26, Amazon Linux 2023 (3.12 and newer) has 2.34.
    [ -n "$glibc" ] || { [ "$minor" = 11 ] && glibc=26 || glibc=34; }
    for ((n = glibc; n >= 17; n--)); do printf -- '--platform manylinux_2_%s_%s ' "$n" "$machine"; done
    printf -- '--platform manylinux2014_%s' "$machine"
}

pip_install() { # TARGET REQUIREMENTS [option...]
    local target=$1 requirements=$2
    shift 2
    "$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-input \
        --require-hashes --no-compile --no-deps --target "$target" "$@" -r "$requirements" >"$work/pip.log" 2>&1 ||
        fail "pip could not install ${3-}${requirements/#$work\//}: $(pip_error)"
}

pip_error() { # the error of pip in one line
    { grep -A4 '^ERROR: ' "$work/pip.log" || tail -n 3 "$work/pip.log"; } | grep -v '^ERROR: Ignored' |
        tr -s '[:space:]-' ' ' | cut -c 1-600
}

install_requirements() {
    local project options
    # The file lists every requirement. With --no-deps, pip accepts an sdist together with --platform.
    options="--only-binary=:all: --implementation cp --python-version $full_version $(platforms)"
    cp "$source/requirements.txt" "$work/requirements.txt"
    for project in $left_out; do
        awk -v start="$project==" '/^[^ #]/ { skip = index($0, start) == 1 } !skip' "$work/requirements.txt" >"$work/rest"
        mv "$work/rest" "$work/requirements.txt"
    done
    if [ -n "$sdists" ]; then
        pip_install "$work/tools" "$source/sdist-requirements.txt" --only-binary=:all:
        export PYTHONPATH=$work/tools SOURCE_DATE_EPOCH=315532800
        options+=" --no-build-isolation"
        for project in $sdists; do options+=" --no-binary=$project"; done
    fi
    # shellcheck disable=SC2086  # the options must be split into words
    pip_install "$work/package" "$work/requirements.txt" $options
    unset PYTHONPATH
}

finish_package() {
    mkdir -p "$work/package" && cd "$work/package"
    # The scripts in bin contain the path of the interpreter that builds; only pip reads the other files.
    rm -rf bin ./*.dist-info/{INSTALLER,REQUESTED,direct_url.json}
    find . -name __pycache__ -type d -prune -exec rm -rf {} +
    cp -- "$source"/*.py .
    printf '{"runtime": "python%s.%s", "architecture": "%s", "handler": "%s"}\n' \
        "$major" "$minor" "$arch" "$handler" >lambda.json
    # unchecked-hash, because the sources on Lambda cannot change and a zip has other time stamps
    PYTHONHASHSEED=0 "$python" -m compileall -qq --invalidation-mode unchecked-hash \
        -s "$work/package" -p /var/task "$work/package" || fail "some sources do not compile on Python $major.$minor"
    chmod -R u=rwX,go=rX . # Lambda runs as another user
    cd "$root"
}

check_size() {
    read -r bytes files < <(find "$work/package" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%.0f %d\n", sum, NR }')
    [ "$bytes" -le "$limit" ] ||
        fail "the package has $bytes bytes unzipped, and Lambda allows $limit; remove a requirement (the previous package is unchanged)"
    [ -n "$zipped" ] || return 0
    local zip_bytes
    zip_bytes=$(cd "$work/package" && "$python" -c 'import io, pathlib, zipfile
archive = io.BytesIO()
with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
    for path in sorted(pathlib.Path().rglob("*")):
        file.write(path)
print(len(archive.getvalue()))')
    [ "$zip_bytes" -le "$zip_limit" ] ||
        fail "the package has $zip_bytes bytes as a zip file, and Lambda allows $zip_limit; remove a requirement (the previous package is unchanged)"
}

move_in_place() {
    if [ -e "$output" ]; then mv "$output" "$work/previous"; fi
    mv "$work/package" "$output"
}

clean_up() {
    if [ -e "$work/previous" ] && [ ! -e "$output" ]; then mv "$work/previous" "$output"; fi
    rm -rf "$work"
}

read_recipe "$@"
shift "$recipe_words"
read_options "$@"
check_python
check_output
work=$(mktemp -d "$(dirname "$output")/.$name.XXXXXX")
trap clean_up EXIT
trap 'exit 130' INT TERM
log "installing ${source#"$root"/}/requirements.txt for Python $major.$minor on $arch"
install_requirements
log "compiling"
finish_package
check_size
move_in_place
printf '%s: %s bytes in %s files, python%s.%s on %s (Lambda allows %s)\n' \
    "${output#"$root"/}" "$bytes" "$files" "$major" "$minor" "$arch" "$limit"
