# The two commands of the README: `make run` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(VENV)/.pip
PEERS := .bench-venv
PEERS_STAMP := $(PEERS)/.installed
SERVERS := .sentry-venv
SERVERS_STAMP := $(SERVERS)/.installed

# Where the tests of `make test` write: into memory where there is enough of it, as tests/scratch.sh explains.
MEMORY := /dev/shm/nightbench-$(shell id -u)-$(shell pwd | cksum | cut -c -4)
ifeq ($(MAKECMDGOALS),test)
export TESTS_IN := $(shell tests/scratch.sh $(MEMORY) $(CURDIR))
# they multiply no matrices that are worth a second thread, and the idle ones spin before they sleep
export OPENBLAS_NUM_THREADS := 1
endif
export TESTS_IN ?= $(CURDIR)

# Everything else that is made on the way stays inside the project.
export NIGHTBENCH_CACHE ?= $(TESTS_IN)/.cache

# What a process imports is compiled once, and not again by each that comes after it.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup run test afterwards main modest served lint style types imports servers templates bytecode greedy screenshots format lock bench serve clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

$(PIP): .ci/pip.txt
	@$(PYTHON) -c 'import sys; sys.exit(f"Python 3.11 or later is needed, $(PYTHON) is {sys.version.split()[0]}; try make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@echo "Installing into $(VENV) (about a minute the first time) …"
	@$(PYTHON) -m venv $(VENV)
	@# a pip of this year looks through an index in a third of the time; the one that Python brings does, too
	@$(BIN)/python -m pip $(QUIETLY) --require-hashes --requirement $< || true
	@touch $@

# how pip is called: all that is needed is listed, and compiled afterwards
QUIETLY := install --quiet --disable-pip-version-check --no-compile --no-deps

$(STAMP): requirements.lock pyproject.toml | $(PIP)
	@# pip works on one core: three of them, each with a third of the packages, keep two busy
	@awk '/^[A-Za-z0-9]/ { n++ } { print > ("$(VENV)/third-" n % 3 ".txt") }' requirements.lock
	@ls $(VENV)/third-*.txt | xargs -n 1 -P 3 $(BIN)/python -m pip $(QUIETLY) --require-hashes --requirement
	@# setuptools warns of what an editable installation is
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip $(QUIETLY) --no-build-isolation --editable .
	@# pip would compile on one core, and all: what cannot be compiled (templates) is no failure
	@$(BIN)/python -m compileall -qq --workers 0 -x '$(UNCOMPILED)' $(VENV)/lib || true
	@touch $@

# what few import, and little of it, is compiled by whoever does; most of a package's tests nobody does
UNCOMPILED := /(tests?|moto|botocore|polars|duckdb|pip|setuptools|mypyc?|pygments|dateparser|playwright)/

setup: $(STAMP) ## make the virtual environment from requirements.lock

run: setup ## the whole night in short form on the embedded default
	@$(BIN)/nightbench run nightly --quick

test: ## lint, types, import rules and every test
	@$(MAKE) --no-print-directory --jobs 2 setup servers
	@# the modest take what the others leave, from the first of them to the last
	@$(MAKE) --no-print-directory --jobs 6 --output-sync=target served lint bytecode greedy modest afterwards
	$(BIN)/python -m pytest -m alone --basetemp=$(TESTS_IN)/.pytest_tmp $(call marked,alone)
	@rm -rf $(MEMORY)

# what minds no company has been beside one another: the clocks of the other tests would mind
afterwards: lint templates bytecode greedy served
	@$(MAKE) --no-print-directory --output-sync=none main

# most tests wait for something: so many at a time keep two cores busy
main: setup servers
	$(BIN)/python -m pytest $(MAIN) -m "not greedy and not alone and not served" --basetemp=$(TESTS_IN)/.pytest_tmp --numprocesses 4 --dist loadfile

# By rooms, as a process collects what it is given: thousands of tests that work for a moment and wait for little.
# Those beside them have clocks and go first, so that one of these may take its time.
MODEST := $(patsubst %,tests/%/,benchmarks capacity cli deployments doctor history measurement observability plan report scrub slots trend_report verdict)
MAIN := $(addprefix --ignore=,$(MODEST))

modest: setup servers templates
	nice -n 5 $(BIN)/python -m pytest $(MODEST) --basetemp=$(TESTS_IN)/.pytest_modest --timeout 600 --numprocesses 2 --dist loadfile

# one process, as they share what takes longest to start
served: setup servers templates
	$(BIN)/python -m pytest -m served --basetemp=$(TESTS_IN)/.pytest_served $(call marked,served)

# the files with a test that is marked so: to collect all the others takes longer than to look for it
marked = $$(grep --recursive --files-with-matches --include='test_*.py' 'mark\.$(1)\b' tests)

lint: style types imports ## ruff, mypy and import-linter

style: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup
	$(BIN)/mypy $(MYPYFLAGS)

imports: setup
	$(BIN)/lint-imports

# The Sentry-compatible servers that tests send to bring Django and more: they have a virtual environment of their own.
$(SERVERS_STAMP): tests/servers/requirements.txt | $(PIP)
	@$(PYTHON) -m venv --without-pip $(SERVERS)
	@$(BIN)/python -m pip --python $(SERVERS)/bin/python $(QUIETLY) --require-hashes --requirement $<
	@touch $@

servers: $(SERVERS_STAMP) ## install the Sentry-compatible servers that tests send to

# what many tests start from
templates: setup servers
	@$(BIN)/python tests/templates.py

# what each worker of the tests would else compile for itself; what cannot be collected is told when they run
bytecode: setup
	@$(BIN)/python -m pytest $(MAIN) --collect-only --quiet >/dev/null || true

# three at a time, as each of them waits longer than it works; by the test, as they are in few files
greedy: setup
	$(BIN)/python -m pytest -m greedy --basetemp=$(TESTS_IN)/.pytest_greedy --numprocesses 3 --dist worksteal $(call marked,greedy)

screenshots: setup ## take the pictures of the docs anew (needs chromium)
	$(BIN)/python -m pytest --basetemp=.pytest_served tests/serving/test_serving_form.py
	cp $(NIGHTBENCH_CACHE)/pictures/*.png docs/images/
	$(BIN)/python tests/trend_report/screenshots.py docs/images

format: setup ## rewrite the sources in the project's format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: ## rewrite the lock files from what is asked for (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		pyproject.toml --group dev --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		tests/servers/requirements.in --output-file tests/servers/requirements.txt
	echo pip | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		- --output-file .ci/pip.txt

# The peers are measured beside nightbench and never depended on: they have a virtual environment of their own.
$(PEERS_STAMP): benchmarks/peers/requirements.txt
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

bench: setup $(PEERS_STAMP) ## nightbench beside k6, Locust and pgbench, 45 minutes; make bench ONLY=exchanges for one
	@$(BIN)/python -m benchmarks $(ONLY)

serve: setup ## Prefect's server with its UI, the deployments and a worker, until Ctrl-C
	@$(BIN)/nightbench serve --data .serve

clean: ## remove all that was made; results stay, also those kept aside
	@# .cache/unsaved holds runs that the results folder could not take
	if [ -d .cache ]; then find .cache -mindepth 1 -maxdepth 1 ! -name unsaved -exec rm -rf {} + ; rmdir .cache 2>/dev/null || true; fi
	rm -rf $(MEMORY) $(VENV) $(PEERS) $(SERVERS) benchmarks/out .pytest_tmp .pytest_served .pytest_modest .pytest_greedy .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build *.egg-info
	find . -path './.*' -prune -o -name __pycache__ -prune -exec rm -rf {} +
