# `make routes`, `make test`, `make serve`: each sets up what it needs, each works alone, and again.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NODE := tests/node_modules

.DEFAULT_GOAL := help
.PHONY: help setup routes serve check test test-slow node lint format types ci docs matrix bench package lock clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A hashed requirement file first, then the project itself without letting pip resolve anything more.
$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "routegen needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(READY)  ## the virtual environment

# MCP clients and checkers for Node.js, which the tests do without where there is none.
node:  ## the npm packages that the tests use, where npm is
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(NODE)/.ready; fi

$(NODE)/.ready: tests/package-lock.json tests/package.json
	cd tests && npm ci --silent
	@touch $@

routes: $(READY)  ## extract generated/routes.json from the app, check it, show it
	$(BIN)/routegen extract -o generated/routes.json
	$(BIN)/routegen render markdown -o generated/ROUTES.md
	$(BIN)/routegen check
	$(BIN)/routegen list

check: $(READY)  ## does the committed manifest still say what the app serves?
	$(BIN)/routegen check

serve: $(READY)  ## everything on this machine: wiki, MCP server, gateway, inspector, a stand-in for AuthKit
	$(BIN)/python -m dev.serve

test: $(READY) node  ## the tests (under 5 minutes on 2 cores)
	$(BIN)/pytest -n 2 --dist loadgroup

test-slow: $(READY) node  ## releases of FastMCP and applications from the registry, the long load, every fault under real clients
	$(BIN)/pytest -m slow

lint: $(READY)  ## ruff, formatting included
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY)  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

bench: $(READY)  ## the figures of the README and of docs/benchmarks.md, in about 10 minutes
	for script in command_startup route_count rendering mcp_handler mcp_cold_start local_gateway; do $(BIN)/python dev/benchmarks/bench_$$script.py || exit; done

ci: lint types test check  ## what .ci/run and the GitHub workflow run

docs: $(READY)  ## docs/cli.md and docs/findings.md, from the commands and the findings
	$(BIN)/python dev/docs/cli_reference.py
	$(BIN)/python dev/docs/findings_reference.py

matrix: $(READY)  ## docs/providers.md: every auth provider that FastMCP ships, extracted and proven
	$(BIN)/python -m dev.matrix

package: $(READY)  ## both Lambdas' package directories
	bash app/poc/mcp_package/build.sh
	bash app/otterwiki/build.sh

lock: $(READY)  ## write the hashed requirement files anew
	PATH="$(CURDIR)/$(BIN):$$PATH" bash requirements/lock.sh

clean:  ## everything that can be made again
	rm -rf $(VENV) $(NODE) build .mypy_cache .pytest_cache .ruff_cache .hypothesis
