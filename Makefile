# `make routes`, `make test` and `make serve` each set up what they need, in any order, and again after a change.
PYTHON ?= python3
ARCH ?= x86_64
VENV := .venv
BIN := $(VENV)/bin
MAIN := $(VENV)/.ready-main
SERVE := $(VENV)/.ready-serve
DEV := $(VENV)/.ready-dev
NODE := tests/node_modules

# uv from PATH, or else uv from PyPI in the virtual environment
UV := $(if $(shell uv --version 2>/dev/null),uv,$(BIN)/uv)
UV_READY := $(if $(filter uv,$(UV)),,$(VENV)/.ready-uv)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
# pip is the second attempt, because uv does not read the index and the certificates that pip is configured with.
install = $(UV) pip install --quiet --python $(BIN)/python --no-deps $(1) || $(PIP) $(1)

# uv compiles nothing. Python would otherwise compile every import again in each of the processes that the tests start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup routes serve check test test-slow test-long reliability node lint format types ci docs matrix bench package pin-base-image lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "routegen needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready-uv: requirements/uv.txt | $(BIN)/python
	$(PIP) --require-hashes --only-binary :all: -r $< || echo "PyPI has no uv for this machine; pip installs instead" >&2
	@touch $@

# Nothing is resolved here (`--no-deps`): a requirement file names every package that is needed.
$(VENV)/.ready-%: requirements/%.txt pyproject.toml | $(BIN)/python $(UV_READY)
	$(call install,--require-hashes -r $<)
	$(call install,--no-build-isolation -e .)
	@touch $@

setup: $(DEV)  ## install everything into .venv: applications, extras, tests

node:  ## install the npm packages of the tests, if this machine has npm
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(NODE)/.ready; fi

$(NODE)/.ready: tests/package-lock.json tests/package.json
	cd tests && npm ci --silent --no-audit --no-fund
	@touch $@

routes: $(MAIN)  ## write generated/routes.json and generated/ROUTES.md from the apps, check and list the routes
	$(BIN)/routegen extract -o generated/routes.json
	$(BIN)/routegen render markdown -o generated/ROUTES.md
	$(BIN)/routegen check
	$(BIN)/routegen list

check: $(MAIN)  ## fail if generated/routes.json differs from what the apps serve
	$(BIN)/routegen check

serve: $(SERVE)  ## run the wiki, the MCP server, the gateway, the inspector and a stand-in for AuthKit on this machine
	$(BIN)/python -m dev.serve

# Three processes for two cores, because a test waits for other processes for a third of its time.
test: $(DEV) node  ## run the tests (about 4 minutes on 2 cores)
	$(BIN)/pytest -n 3 --dist loadgroup

test-slow: $(DEV) node  ## run the tests that need tens of seconds: built packages, the real commands, newcomers, pre-commit
	$(BIN)/pytest -n 3 --dist loadgroup -m slow

test-long: $(DEV) node  ## run the tests that need an hour: other releases, applications from PyPI, Terraform, the long load, every prediction
	$(BIN)/pytest -m long

reliability: $(DEV)  ## run every attack and the soak test, and write their figures into docs/reliability.md
	RELIABILITY_PAGE=docs/reliability.md $(BIN)/pytest -n 2 --dist loadgroup -m reliability

lint: $(DEV)  ## check style and formatting with ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(DEV)  ## format the code and apply the automatic fixes of ruff
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(DEV)  ## check types with mypy in strict mode
	$(BIN)/mypy

bench: $(DEV)  ## measure the figures of the README and of docs/benchmarks.md (about 10 minutes)
	for script in command_startup route_count rendering mcp_handler mcp_cold_start local_gateway; do $(BIN)/python dev/benchmarks/bench_$$script.py || exit; done

ci: lint types test test-slow check  ## run everything that a change must pass, as .ci/run does

docs: $(DEV)  ## write docs/cli.md, docs/findings.md and docs/configuration.md from the program
	$(BIN)/python dev/docs/cli_reference.py
	$(BIN)/python dev/docs/findings_reference.py
	$(BIN)/python dev/docs/configuration_reference.py

matrix: $(DEV)  ## write docs/providers.md: extract and prove every auth provider that FastMCP ships
	$(BIN)/python -m dev.matrix

package:  ## build the package directories of both Lambdas with $PYTHON, for ARCH=x86_64 or ARCH=arm64
	bash app/poc/mcp_package/build.sh --arch $(ARCH)
	bash app/otterwiki/build.sh --arch $(ARCH)

pin-base-image: | $(BIN)/python  ## write the digest of the wiki's base image into its Dockerfile, and so take its newest patches
	$(BIN)/python dev/pin_base_image.py $(PYTHON_VERSION)

lock: $(UV_READY)  ## resolve all requirements again and write the hashed requirement files
	PATH="$(CURDIR)/$(BIN):$$PATH" bash requirements/lock.sh

clean:  ## delete the virtual environment, the npm packages and all caches
	rm -rf $(VENV) $(NODE) build .mypy_cache .pytest_cache .ruff_cache .hypothesis
