# The comment desk. `make help` lists what can be done here.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
TESTS ?= tests

.DEFAULT_GOAL := help
.PHONY: help install install-dev kernel run test test-wordpress check lint types imports lock bench chaos fuzz clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with the venv module is needed; set PYTHON=/path/to/python3" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# The stamps make a second run quick; the program itself is installed in place, so code changes need no new install.
$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

# Compiled loops, where there are a C compiler and Python's headers; without them NumPy does the same work, slower.
kernel: $(VENV)/.installed
	@$(BIN)/python -m classifiers.native

install: $(VENV)/.installed kernel ## make .venv with the program .venv/bin/moderation

# For the tests of accessibility alone, which are skipped without it: where there is no npm, that is no fault.
AXE := $(VENV)/axe/node_modules/axe-core/axe.min.js
$(AXE): | $(BIN)/python
	@command -v npm >/dev/null && npm install --prefix $(VENV)/axe --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
		axe-core@4.14.1 >/dev/null || echo "axe-core cannot be had: accessibility is tested without it" >&2

install-dev: $(VENV)/.installed-dev kernel $(AXE) ## add what lint, types and tests need

run: install ## install, then serve the demonstration
	$(BIN)/moderation serve --demo

lint: install-dev ## ruff, code and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install-dev ## strict types
	$(BIN)/mypy

imports: install-dev ## the layers of the design
	$(BIN)/lint-imports

check: lint types imports ## everything but the tests

test: check ## lint, types, import contract, then every test on the real engines
	$(BIN)/python -m pytest -n 3 --dist worksteal $(TESTS)

chaos: install-dev ## kill, stop and starve every part many times, and sum up (ROUNDS=20 of each)
	$(BIN)/python -m tests.chaos --rounds $(or $(ROUNDS),20)

fuzz: install-dev ## send a hundred thousand hostile requests to a service of its own
	$(BIN)/python -m tests.fuzz

test-wordpress: install-dev ## the connector in a real WordPress; as root on Debian it installs what is missing
	@test -f /usr/share/wordpress/wp-includes/version.php || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		&& apt-get install -y --no-install-recommends wordpress mariadb-server php-cli php-mysql; }
	$(BIN)/python -m pytest -m wordpress tests/wordpress

bench: install-dev ## measure speed, as ratios to floors of the same run
	$(BIN)/python -m bench

lock: $(BIN)/python ## resolve the pinned dependencies again (needs uv)
	uv pip compile --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--fork-strategy fewest pyproject.toml requirements-build.in -o requirements.lock
	uv pip compile --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--fork-strategy fewest pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

clean: ## remove what was built; data in var/ stays
	rm -f classifiers/native/*.so
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
