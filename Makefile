# The whole project from one place. `make` alone lists what there is.
.DEFAULT_GOAL := help
.PHONY: help install demo test lint check bench clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("mds-lightning needs Python 3.11 or newer: make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(STAMP)

install: $(STAMP) ## make .venv with the package and its exact pins

demo: $(STAMP) ## simulate a cohort, cross-validate MDS vs donor, evaluate (minutes, no GPU)
	$(BIN)/mds-lightning train -m experiment=demo
	$(BIN)/mds-lightning evaluate study=runs/demo

test: $(STAMP) ## run the tests
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

lint: $(STAMP) ## ruff, mypy and the walls between rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test ## lint and test

bench: $(STAMP) ## side-by-side speed ratios against peers (see benchmarks/RESULTS.md)
	$(BIN)/python -m benchmarks

clean: ## remove what the targets above made
	rm -rf $(VENV) runs data dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
