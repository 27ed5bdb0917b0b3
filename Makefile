# What can be done here. `make` alone lists it. Only python3 (3.11 or later) with venv, make and git are needed.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
UV := .bootstrap/bin/uv
# Never fetch another interpreter, and never read a uv configuration that the lock does not know about: none where it is
# installed, one file of this project where it is resolved.
UV_ENV := UV_PYTHON_DOWNLOADS=never UV_NO_CONFIG=1
LOCK := UV_PYTHON_DOWNLOADS=never UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile --quiet \
	--config-file dependencies.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate

# Debian packages that tests and benches need besides the four above: a browser, to open the maps in, the tools whose
# output is imported, networks made of namespaces, a look at system calls, a compiler for the bench's C responder and for
# what stands in for a driver, another implementation of logs, a TPM in software with its tools, and what checks units.
SYSTEM_PACKAGES := chromium fping gcc golang-go golang-golang-x-mod-dev iproute2 iputils-ping libc6-dev nftables strace \
	swtpm systemd tpm2-tools

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

# -- environments ------------------------------------------------------------------------------------------------

# Three locks, three folders. `.bootstrap` holds uv alone; `.venv` holds everything `requirements.lock` names and the
# package itself, editable; `.cwt` holds the other COSE implementation that tests ask, whose requirements do not go
# with ours. Stamps are written last, so that an interrupted step is done again.
.bootstrap/.stamp: bootstrap.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python3 is older than 3.11; say PYTHON=... to name another")'
	rm -rf .bootstrap
	$(PYTHON) -m venv .bootstrap
	.bootstrap/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r bootstrap.lock
	@touch $@

.venv/.stamp: .bootstrap/.stamp requirements.lock pyproject.toml src/lightbound/__init__.py
	@test -x $(BIN)/python || $(UV_ENV) $(UV) venv --quiet --python .bootstrap/bin/python .venv
	$(UV_ENV) $(UV) pip sync --quiet --python $(BIN)/python --require-hashes --only-binary :all: requirements.lock
	$(UV_ENV) $(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.cwt/.stamp: .bootstrap/.stamp cwt.lock
	@test -x .cwt/bin/python || $(UV_ENV) $(UV) venv --quiet --python .bootstrap/bin/python .cwt
	$(UV_ENV) $(UV) pip sync --quiet --python .cwt/bin/python --require-hashes --only-binary :all: cwt.lock
	@touch $@

.PHONY: venv
venv: .venv/.stamp ## make the locked environment in .venv

.PHONY: lock
lock: .bootstrap/.stamp ## resolve the locks again (LOCK_FLAGS=--upgrade takes newer releases)
	$(LOCK) $(LOCK_FLAGS) --group bootstrap -o bootstrap.lock
	$(LOCK) $(LOCK_FLAGS) --group cwt -o cwt.lock
	$(LOCK) $(LOCK_FLAGS) pyproject.toml --extra judge --extra server --group dev -o requirements.lock

.PHONY: system-packages
system-packages: ## install the Debian packages that tests need (as root; otherwise say which)
	@if test -z "$(strip $(SYSTEM_PACKAGES))"; then echo "system-packages: none are needed"; \
	elif test "$$(id -u)" != 0; then echo "system-packages: not root; to install: apt-get install --no-install-recommends $(SYSTEM_PACKAGES)"; \
	else export DEBIAN_FRONTEND=noninteractive; apt-get update -qq; \
		apt-get install -qq -y --no-install-recommends $(SYSTEM_PACKAGES); fi

# -- use ---------------------------------------------------------------------------------------------------------

# Each run writes to a folder of its own.
.PHONY: demo
demo: .venv/.stamp ## run the whole of it on this machine: verifier, landmarks, agents, and some smuggling
	@mkdir -p build
	cd build && ../$(BIN)/lightbound demo

.PHONY: example
example: .venv/.stamp ## adjudicate the example that ships with the project
	$(BIN)/lightbound adjudicate examples/azure/measurements.csv --landmarks examples/azure/landmarks.csv --chips examples/azure/chips.csv

# -- checks ------------------------------------------------------------------------------------------------------

# Two workers: the machine the project is sized for has two cores. MARKS chooses other tests: `make test MARKS="not soak"`
# runs those marked as long as well, which every change must pass and which would make this one take twice its five minutes.
.PHONY: test
test: .venv/.stamp .cwt/.stamp ## run the tests, seeded samples of the long campaigns included (MARKS="not soak": long ones too)
	$(BIN)/python -m pytest -n 2 --dist worksteal $(if $(MARKS),-m "$(MARKS)")

.PHONY: soak
soak: .venv/.stamp .cwt/.stamp ## run the long campaigns at their full counts
	$(BIN)/python -m pytest -m soak --hypothesis-profile soak -s

.PHONY: lint
lint: .venv/.stamp ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: .venv/.stamp ## mypy, strict
	$(BIN)/mypy

.PHONY: contracts
contracts: .venv/.stamp ## import-linter: the floors, and the core's purity
	$(BIN)/lint-imports

.PHONY: bench
bench: .venv/.stamp ## measure speed
	$(BIN)/python bench/run.py

.PHONY: results
results: .venv/.stamp ## rebuild the pages of results; those on measured round trips need the evaluation data
	$(BIN)/python scripts/make_simulation_results.py
	$(BIN)/python scripts/make_results.py
	$(BIN)/python scripts/make_planning_results.py

.PHONY: vectors
vectors: .venv/.stamp ## make the conformance vectors again, and fill in the pages that show them
	$(BIN)/python scripts/make_vectors.py

# -- release -----------------------------------------------------------------------------------------------------

.PHONY: wheel
wheel: .venv/.stamp ## build the wheel into dist/
	rm -rf dist
	$(BIN)/python -m hatchling build -t wheel -d dist

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf .venv .cwt .bootstrap build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
