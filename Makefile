# Everything a person runs.  A target makes its own virtual environment in .venv first, so that a
# fresh machine needs Python 3.11 (or newer) and make, nothing else.
#
#   make demo            run a scenario and print every message of it
#   make test            run the tests
#   make coverage        run them, and say which lines and branches they leave out
#   make bench           measure, and compare with the targets
#   make lint types imports   what .ci/run checks besides
#   make docs            build the book into docs/_build/html
#   make campaign        random operations with invariants checked; goes on where it was stopped
#                        (OPERATIONS=1000000 SEED=1)
#   make seeds           the library under many random schedules     (SEEDS=100)
#   make clean           remove what was built
#
# PYTHON=python3.12 chooses the interpreter for a new environment.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# As pip does with what it installs otherwise; without it the first start takes half as long again, and
# so does each one where the environment forbids Python to write compiled modules.
COMPILE := $(BIN)/python -m compileall -q ipc kernel servers tracing scenarios sendrec benchmarks
DEMO ?= scenarios/library/file-mmap.scn
OPERATIONS ?= 1000000
SEED ?= 1
SEEDS ?= 100

.PHONY: help demo test coverage bench docs lint types imports campaign seeds clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   //p' Makefile

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("sendrec needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; choose another with make PYTHON=...")'
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/has-run: pyproject.toml $(VENV)/made
	@echo "installing sendrec into $(VENV)"
	@$(PIP) install --editable .
	@$(COMPILE)
	@touch $@

$(VENV)/has-test: $(VENV)/has-run
	@echo "installing what the tests need"
	@$(PIP) install --editable '.[test]'
	@touch $@

$(VENV)/has-dev: $(VENV)/has-test
	@echo "installing what the checks and benchmarks need"
	@$(PIP) install --editable '.[test,dev]'
	@touch $@

$(VENV)/has-docs: $(VENV)/has-run
	@echo "installing what the book needs"
	@$(PIP) install --editable '.[docs]'
	@touch $@

demo: $(VENV)/has-run
	@$(BIN)/sendrec run --trace $(DEMO)

test: $(VENV)/has-test
	@$(BIN)/python -m pytest $(ARGS)

coverage: $(VENV)/has-test
	@$(BIN)/python -m coverage run -m pytest $(ARGS)
	@$(BIN)/python -m coverage report

bench: $(VENV)/has-dev
	@$(COMPILE)
	@$(BIN)/python -m benchmarks $(ARGS)

docs: $(VENV)/has-docs
	@$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "the book is docs/_build/html/index.html"

lint: $(VENV)/has-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/has-dev
	@$(BIN)/mypy

imports: $(VENV)/has-dev
	@$(BIN)/lint-imports

campaign: $(VENV)/has-test
	@$(BIN)/sendrec campaign --operations $(OPERATIONS) --seed $(SEED) \
	    --resume campaign-$(SEED).json $(ARGS)

seeds: $(VENV)/has-run
	@$(BIN)/python -m scenarios.seeds --seeds $(SEEDS) $(ARGS)

clean:
	rm -rf $(VENV) build dist docs/_build htmlcov .coverage *.egg-info
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
