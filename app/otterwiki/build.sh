#!/usr/bin/env bash
# Builds the wiki Lambda's package directory, build/otterwiki; --help says more.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# glibc 2.34: the Dockerfile's image is Amazon Linux 2023, and Pillow's wheels need 2.27 at least.
# feedgen is published as an sdist only.
# Cython: Otterwiki's metadata asks for it, nothing imports it at run time, and it weighs 12 MB.
exec bash "$here/../package.sh" otterwiki "$here" wiki.handler \
    --glibc 34 --sdist feedgen --leave-out cython -- "$@"
