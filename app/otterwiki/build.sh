#!/usr/bin/env bash
# Builds the package directory of the wiki Lambda, build/otterwiki. --help shows the options.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# glibc 2.34: the Dockerfile's image is Amazon Linux 2023; Pillow's wheels need glibc 2.27 or newer.
# feedgen: PyPI has an sdist and no wheel.
# Cython: Otterwiki's metadata requires it, but no module imports it at run time, and it has 12 MB.
exec bash "$here/../package.sh" otterwiki "$here" wiki.handler \
    --glibc 34 --sdist feedgen --leave-out cython -- "$@"
